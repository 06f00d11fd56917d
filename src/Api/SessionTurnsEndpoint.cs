using LServe.Api.Http;
using LServe.Api.Turns;
using LServe.Contracts;
using LServe.Contracts.OpenAi;
using LServe.Sessions;
using Microsoft.AspNetCore.Http;

namespace LServe.Api;

/// <summary>
/// <c>POST /v1/sessions/{id}/turns</c>: a <see cref="TurnRequest"/> in, its <see cref="TurnEvent"/>s out as server-sent events, or
/// <c>{"error":…}</c> in place of the last: the project's own protocol, which says all that OpenAI's has no words for.
/// </summary>
internal sealed class SessionTurnsEndpoint(ApiServices api, TurnRunner turns)
{
    public void Map(Routes routes) => routes.Post("/v1/sessions/{id}/turns", HandleAsync);

    private async Task HandleAsync(HttpContext http)
    {
        var request = await RequestBody.ReadAsync(http, WireJson.Default.TurnRequest, api.Options);
        // A reader sets fields that weren't sent to null, whatever their type says.
        var complete = request with { Sampling = SamplingRules.Check((SamplingOptions?)request.Sampling ?? new()) };
        var call = TurnCall.Read(http, complete, null) with { Session = SessionsEndpoint.KeyOf(http) };
        await turns.AnswerAsync(http, call, new TurnEventShape(), stream: true);
    }
}
