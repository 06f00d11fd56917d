using LServe.Api.Http;
using LServe.Contracts.OpenAi;
using Microsoft.AspNetCore.Http;

namespace LServe.Api;

/// <summary><c>/healthz</c>: the process lives. <c>/readyz</c>: the engine takes turns; 503 with the reason when it doesn't.</summary>
internal sealed class HealthEndpoints(ApiServices api)
{
    public void Map(Routes routes)
    {
        routes.Get("/healthz", http => JsonReply.WriteAsync(http, new("ok"), WireJson.Default.HealthReply));
        routes.Get("/readyz", HandleReadyAsync);
    }

    private Task HandleReadyAsync(HttpContext http)
    {
        var status = api.Host.Status;
        return status.Ready
            ? JsonReply.WriteAsync(http, new("ready"), WireJson.Default.HealthReply)
            : JsonReply.WriteAsync(
                http, new("not ready", status.Problem), WireJson.Default.HealthReply, StatusCodes.Status503ServiceUnavailable);
    }
}
