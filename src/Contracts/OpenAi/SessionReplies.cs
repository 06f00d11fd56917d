namespace LServe.Contracts.OpenAi;

/// <summary>Answer of <c>GET /v1/sessions</c>, most recently used first; the sessions come without their messages.</summary>
public sealed record SessionList(string Object, IReadOnlyList<SessionInfo> Data);

/// <summary>Answer of <c>DELETE /v1/sessions/{id}</c> and of its verbs.</summary>
/// <param name="Deleted">Whether there was a session to delete.</param>
/// <param name="Cancelled">Whether a turn was running.</param>
/// <param name="Released">Whether there was a session whose pages to free.</param>
public sealed record SessionReply(string Id, bool? Deleted = null, bool? Cancelled = null, bool? Released = null);

/// <summary>Body of <c>POST /v1/sessions/{id}/rewind</c> and <c>…/fork</c>.</summary>
/// <param name="Turn">The turn after which the session is wanted, from 1; with fork, absent means the last.</param>
/// <param name="SessionId">With fork: the new session's name.</param>
public sealed record SessionTravel(int? Turn = null, string? SessionId = null);

/// <summary>Answer of <c>/healthz</c> and <c>/readyz</c>.</summary>
/// <param name="Problem">Why turns are not accepted.</param>
public sealed record HealthReply(string Status, string? Problem = null);
