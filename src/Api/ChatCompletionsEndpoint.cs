using LServe.Api.Http;
using LServe.Api.Turns;
using LServe.Contracts.OpenAi;
using Microsoft.AspNetCore.Http;

namespace LServe.Api;

/// <summary><c>POST /v1/chat/completions</c>: one turn of a conversation, kept when it names a session.</summary>
internal sealed class ChatCompletionsEndpoint(ApiServices api, TurnRunner turns)
{
    public void Map(Routes routes) => routes.Post("/v1/chat/completions", HandleAsync);

    private async Task HandleAsync(HttpContext http)
    {
        var request = await RequestBody.ReadAsync(http, WireJson.Default.ChatCompletionRequest, api.Options);
        var call = TurnCall.Read(http, ChatRequestReader.Read(request, api.Host.Status), request.Metadata);
        await turns.AnswerAsync(http, call, new ChatShape(request.StreamOptions?.IncludeUsage ?? false), request.Stream ?? false);
    }
}
