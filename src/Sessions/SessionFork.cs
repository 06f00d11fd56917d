using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>Begins a conversation as another one was.</summary>
public static class SessionFork
{
    /// <inheritdoc cref="ISessionHost.ForkAsync"/>
    public static async Task<SessionInfo?> RunAsync(
        SessionStores stores, SessionKey from, SessionKey to, int? turn, AttentionKind? attention = null, CancellationToken cancellation = default)
    {
        if (await stores.Sessions.LoadAsync(from, cancellation) is not { } source) return null;
        var kept = turn is null || turn == source.Snapshot.Turns ? source : await stores.Sessions.LoadTurnAsync(from, turn.Value, cancellation);
        if (kept is null) throw NoSuchTurn(source.Snapshot, turn!.Value);
        await CheckFreeAsync(stores, to, cancellation);
        var now = stores.Time.GetUtcNow();
        // Copies: files are never shared, so that a damaged one concerns one session.
        var mode = attention?.ToMode() ?? kept.Snapshot.Attention;
        var kv = stores.Pages is { } pages && mode == kept.Snapshot.Attention ? await KvCopy.RunAsync(pages, kept.Snapshot, to, cancellation) : SessionSnapshot.NoRecords;
        var fork = kept.Snapshot with { Key = to, Attention = mode, Created = now, LastUsed = now, Kv = kv };
        await SaveNewAsync(stores, fork, cancellation);
        return Session.Describe(fork);
    }

    /// <exception cref="LServeException">There is a session of that name.</exception>
    internal static async Task CheckFreeAsync(SessionStores stores, SessionKey key, CancellationToken cancellation)
    {
        if (await stores.Sessions.LoadAsync(key, cancellation) is not null) throw Taken(key);
        // What a copy left that was broken off.
        if (stores.Pages is { } pages) await pages.DeleteAsync(key, cancellation);
    }

    /// <exception cref="LServeException">There is a session of that name.</exception>
    internal static async Task SaveNewAsync(SessionStores stores, SessionSnapshot snapshot, CancellationToken cancellation)
    {
        try
        {
            await stores.Sessions.SaveAsync(snapshot, null, cancellation);
        }
        catch (SessionStoreConflictException taken)
        {
            throw Taken(snapshot.Key, taken);
        }
    }

    public static LServeException NoSuchTurn(SessionSnapshot kept, int turn) =>
        LServeException.Invalid($"Turn {turn} of session {kept.Key} isn't kept; it has {kept.Turns} turns, counted from 1.", "turn");

    private static LServeException Taken(SessionKey key, Exception? inner = null) =>
        new(new(ErrorCode.SessionConflict, $"There is a session {key} already; name another one.", "session_id"), inner);
}
