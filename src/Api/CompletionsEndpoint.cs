using LServe.Api.Http;
using LServe.Api.Turns;
using LServe.Contracts.OpenAi;
using Microsoft.AspNetCore.Http;

namespace LServe.Api;

/// <summary><c>POST /v1/completions</c>: continues a raw text, outside any chat template.</summary>
internal sealed class CompletionsEndpoint(ApiServices api, TurnRunner turns)
{
    public void Map(Routes routes) => routes.Post("/v1/completions", HandleAsync);

    private async Task HandleAsync(HttpContext http)
    {
        var request = await RequestBody.ReadAsync(http, WireJson.Default.CompletionRequest, api.Options);
        var call = TurnCall.Read(http, CompletionRequestReader.Read(request, api.Host.Status), request.Metadata);
        await turns.AnswerAsync(http, call, new TextShape(request.StreamOptions?.IncludeUsage ?? false), request.Stream ?? false);
    }
}
