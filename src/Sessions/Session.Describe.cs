using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>What a session is, to whoever asks.</summary>
public sealed partial class Session
{
    /// <summary>What is kept, or null before the first committed turn.</summary>
    public async ValueTask<SessionInfo?> DescribeAsync(CancellationToken cancellation = default)
    {
        var snapshot = await _memory.PeekAsync(cancellation);
        var interrupted = IsBusy ? null : await _memory.InterruptedAsync(cancellation);
        if (snapshot is null) return interrupted is null ? null : Describe(_key, interrupted);
        var cached = _memory.CachedTokens;
        var state = IsBusy ? "running" : cached > 0 ? "idle" : "cold";
        return Describe(snapshot, cached, state) with { Interrupted = interrupted };
    }

    /// <summary>A session that isn't in memory, or null.</summary>
    public static async ValueTask<SessionInfo?> DescribeAsync(ISessionStore store, SessionKey key, CancellationToken cancellation = default)
    {
        var interrupted = await store.LoadNoteAsync(key, cancellation);
        if (await store.LoadAsync(key, cancellation) is { } stored) return Describe(stored.Snapshot) with { Interrupted = interrupted };
        return interrupted is null ? null : Describe(key, interrupted);
    }

    /// <summary>A stored session that isn't in memory.</summary>
    public static SessionInfo Describe(SessionSnapshot s, int cached = 0, string state = "cold") => new(
        s.Key.Tenant, s.Key.Session, s.Model, s.Tokens.Count, cached, s.Turns, state, s.Created, s.LastUsed, s.LastTurn?.TurnId,
        [.. s.Messages.Select(m => new ChatMessage(m.Role, m.Content))]);

    /// <summary>A session whose first turn was interrupted.</summary>
    private static SessionInfo Describe(SessionKey key, InterruptedAnswer interrupted) =>
        new(key.Tenant, key.Session, "", 0, 0, 0, "cold", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, null, [], interrupted);

    /// <summary>The same from a list, without messages.</summary>
    public static SessionInfo Describe(SessionSummary s) => new(
        s.Key.Tenant, s.Key.Session, s.Model, s.Tokens, 0, s.Turns, "cold", s.Created, s.LastUsed, s.LastTurnId, []);
}
