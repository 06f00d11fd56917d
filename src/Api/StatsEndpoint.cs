using LServe.Api.Http;
using LServe.Contracts.OpenAi;
using Microsoft.AspNetCore.Http;

namespace LServe.Api;

/// <summary><c>GET /stats</c>: what <c>/metrics</c> counts of the engine, as one JSON object.</summary>
internal sealed class StatsEndpoint(ApiServices api)
{
    public void Map(Routes routes) => routes.Get("/stats", HandleAsync);

    private Task HandleAsync(HttpContext http)
    {
        var s = api.Host.Status;
        var stats = new StatsReply(
            s.Model, s.Backend, s.Attention, s.ContextLength, s.Sessions, s.Running, s.Waiting, s.PagesUsed, s.PagesTotal,
            s.PagesRead, s.PagesHeld, s.PromptTokens, s.GeneratedTokens, s.Steps, s.TokensPerSecond);
        return JsonReply.WriteAsync(http, stats, WireJson.Default.StatsReply);
    }
}
