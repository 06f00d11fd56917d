using System.Globalization;
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
    public void Map(Routes routes)
    {
        routes.Post("/v1/sessions/{id}/turns", HandleAsync);
        routes.Post("/v1/sessions/{id}/leave", LeaveAsync);
    }

    private async Task HandleAsync(HttpContext http)
    {
        var request = await RequestBody.ReadAsync(http, WireJson.Default.TurnRequest, api.Options);
        // A reader sets fields that weren't sent to null, whatever their type says.
        var complete = request with { Sampling = SamplingRules.Check((SamplingOptions?)request.Sampling ?? new()) };
        var call = TurnCall.Read(http, complete, null) with { Session = SessionsEndpoint.KeyOf(http), ResumeWithin = ReadResumeWithin(http) };
        await turns.AnswerAsync(http, call, new TurnEventShape(), stream: true);
    }

    /// <summary>A reader of a turn doesn't come back: the turn needn't go on for it, and ends unless others read it.</summary>
    private Task LeaveAsync(HttpContext http)
    {
        var (session, turn) = (SessionsEndpoint.KeyOf(http), HeaderText.Read(http.Request.Headers, TurnCall.TurnHeader));
        if (turn is null) throw LServeException.Invalid($"The header {TurnCall.TurnHeader} says which turn is left.", TurnCall.TurnHeader);
        return JsonReply.WriteAsync(http, new SessionReply(session.Session, Cancelled: api.Readers.Leave(session, turn)), WireJson.Default.SessionReply);
    }

    private TimeSpan ReadResumeWithin(HttpContext http)
    {
        var text = http.Request.Headers[TurnCall.ResumeHeader].ToString();
        if (text.Length == 0) return TimeSpan.Zero;
        var most = (int)api.Options.MaxResumeWithin.TotalSeconds;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= most
            ? TimeSpan.FromSeconds(seconds)
            : throw LServeException.Invalid($"{TurnCall.ResumeHeader} is a whole number of seconds up to {most}.", TurnCall.ResumeHeader);
    }
}
