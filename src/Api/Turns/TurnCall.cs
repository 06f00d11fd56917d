using LServe.Contracts;
using LServe.Contracts.OpenAi;
using LServe.Api.Http;
using Microsoft.AspNetCore.Http;

namespace LServe.Api.Turns;

/// <summary>One turn as HTTP asked for it.</summary>
/// <param name="Session">The kept conversation, or null for a turn that keeps nothing.</param>
internal sealed record TurnCall(string Tenant, SessionKey? Session, TurnRequest Request)
{
    public const string SessionHeader = "X-Session-Id";
    public const string TurnHeader = "X-Turn-Id";
    public const string ResumeHeader = "X-Resume-Within";

    /// <summary>How long the turn goes on without its reader when the connection breaks.</summary>
    public TimeSpan ResumeWithin { get; init; }

    /// <summary>Joins what was asked with whom it concerns; headers win over the body's metadata.</summary>
    public static TurnCall Read(HttpContext http, TurnRequest request, RequestMetadata? metadata)
    {
        var tenant = Tenancy.Of(http);
        var session = HeaderText.Read(http.Request.Headers, SessionHeader) ?? metadata?.SessionId;
        var turn = HeaderText.Read(http.Request.Headers, TurnHeader) ?? metadata?.TurnId ?? request.TurnId;
        return new(tenant, session is null ? null : new SessionKey(tenant, session), request with { TurnId = Checked(turn) });
    }

    private static string? Checked(string? turn)
    {
        if (turn is null)
            return null;
        if (turn.Length is 0 or > TurnRequest.MaxTurnIdLength || turn.Any(char.IsControl))
            throw LServeException.Invalid($"A turn id has 1 to {TurnRequest.MaxTurnIdLength} characters and no control characters.", "turn_id");
        return turn;
    }
}
