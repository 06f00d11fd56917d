namespace LServe.Contracts;

/// <summary>What a session is, as clients and operators see it.</summary>
/// <param name="Id">The session's name within its tenant.</param>
/// <param name="Tokens">Tokens kept.</param>
/// <param name="CachedTokens">Of these, tokens whose keys and values are in memory.</param>
/// <param name="State"><c>idle</c>, <c>running</c> or <c>cold</c> (kept, but its pages are not in memory).</param>
/// <param name="LastTurnId">The last committed turn.</param>
/// <param name="Interrupted">The answer that was in progress when the server was killed, if it notes answers in progress.</param>
public sealed record SessionInfo(
    string Tenant, string Id, string Model, int Tokens, int CachedTokens, int Turns, string State,
    DateTimeOffset Created, DateTimeOffset LastUsed, string? LastTurnId, IReadOnlyList<ChatMessage> Messages,
    InterruptedAnswer? Interrupted = null);

/// <summary>What there was of an answer that was never committed. Sending the turn again gives it whole.</summary>
/// <param name="Text">What had been sent of it.</param>
/// <param name="Tokens">Tokens that had been drawn for it.</param>
public sealed record InterruptedAnswer(string TurnId, string Text, int Tokens);
