namespace LServe.Contracts.OpenAi;

/// <summary>Answer of <c>GET /v1/sessions</c>, most recently used first; the sessions come without their messages.</summary>
public sealed record SessionList(string Object, IReadOnlyList<SessionInfo> Data);

/// <summary>Answer of <c>DELETE /v1/sessions/{id}</c> and of its verbs.</summary>
/// <param name="Deleted">Whether there was a session to delete.</param>
/// <param name="Cancelled">Whether a turn was running.</param>
/// <param name="Released">Whether there was a session whose pages to free.</param>
/// <param name="Silo">Where the session has moved to.</param>
public sealed record SessionReply(string Id, bool? Deleted = null, bool? Cancelled = null, bool? Released = null, string? Silo = null);

/// <summary>Body of <c>POST /v1/sessions/{id}/migrate</c>.</summary>
/// <param name="Silo">Name of the silo to move to; absent: the one with the most room.</param>
public sealed record SessionMove(string? Silo = null);

/// <summary>Body of <c>POST /v1/sessions/{id}/rewind</c> and <c>…/fork</c>.</summary>
/// <param name="Turn">The turn after which the session is wanted, from 1; with fork, absent means the last.</param>
/// <param name="SessionId">With fork: the new session's name.</param>
/// <param name="Attention">With fork: how the new session is to attend; another way than the source's means that its tokens are computed again.</param>
public sealed record SessionTravel(int? Turn = null, string? SessionId = null, AttentionKind? Attention = null);

/// <summary>Answer of <c>GET /stats</c>: what this process does, counters since its start.</summary>
/// <param name="Attention">How new conversations attend.</param>
/// <param name="Sessions">Sessions in memory.</param>
/// <param name="Running">Sequences that share the engine's steps.</param>
/// <param name="Waiting">Sequences that wait for a place in a step.</param>
/// <param name="PagesUsed">KV pages in use.</param>
/// <param name="PagesTotal">KV pages of the pool.</param>
/// <param name="PagesRead">KV pages that heads read in decode steps, summed over layers and KV heads.</param>
/// <param name="PagesHeld">KV pages that those heads held in those steps.</param>
public sealed record StatsReply(
    string Model, string Backend, AttentionKind Attention, int ContextLength, int Sessions, int Running, int Waiting, int PagesUsed, int PagesTotal,
    long PagesRead, long PagesHeld, long PromptTokens, long GeneratedTokens, long Steps, double TokensPerSecond);

/// <summary>Answer of <c>/healthz</c> and <c>/readyz</c>.</summary>
/// <param name="Problem">Why turns are not accepted.</param>
public sealed record HealthReply(string Status, string? Problem = null);
