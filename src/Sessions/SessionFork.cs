using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>Begins a conversation as another one was.</summary>
public static class SessionFork
{
    /// <inheritdoc cref="ISessionHost.ForkAsync"/>
    public static async Task<SessionInfo?> RunAsync(
        SessionEnvironment environment, SessionKey from, SessionKey to, int? turn, AttentionKind? attention = null, CancellationToken cancellation = default)
    {
        if (await environment.Store.LoadAsync(from, cancellation) is not { } source) return null;
        var kept = turn is null || turn == source.Snapshot.Turns ? source : await environment.Store.LoadTurnAsync(from, turn.Value, cancellation);
        if (kept is null) throw NoSuchTurn(source.Snapshot, turn!.Value);
        var mode = attention?.ToMode() ?? kept.Snapshot.Attention;
        AttentionKinds.CheckServed(environment.Engine, mode);
        var now = environment.Time.GetUtcNow();
        // Its pages stay the source's: files are never shared, so that a damaged one concerns one session.
        var fork = kept.Snapshot with { Key = to, Attention = mode, Created = now, LastUsed = now, Kv = SessionSnapshot.NoRecords };
        try
        {
            await environment.Store.SaveAsync(fork, null, cancellation);
        }
        catch (SessionStoreConflictException taken)
        {
            throw new LServeException(new(ErrorCode.SessionConflict, $"There is a session {to} already; name another one.", "session_id"), taken);
        }
        return Session.Describe(fork);
    }

    internal static LServeException NoSuchTurn(SessionSnapshot kept, int turn) =>
        LServeException.Invalid($"Turn {turn} of session {kept.Key} isn't kept; it has {kept.Turns} turns, counted from 1.", "turn");
}
