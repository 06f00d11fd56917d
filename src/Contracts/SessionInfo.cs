namespace LServe.Contracts;

/// <summary>What a session is, as clients and operators see it.</summary>
/// <param name="Id">The session's name within its tenant.</param>
/// <param name="Tokens">Tokens kept.</param>
/// <param name="CachedTokens">Of these, tokens whose keys and values are in memory.</param>
/// <param name="State"><c>idle</c>, <c>running</c> or <c>cold</c> (kept, but its pages are not in memory).</param>
/// <param name="LastTurnId">The last committed turn.</param>
public sealed record SessionInfo(
    string Tenant, string Id, string Model, int Tokens, int CachedTokens, int Turns, string State,
    DateTimeOffset Created, DateTimeOffset LastUsed, string? LastTurnId, IReadOnlyList<ChatMessage> Messages);
