using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>
/// Keeps the state of sessions, one record per key, with optimistic concurrency: a save names the ETag it replaces, so that of two
/// writers one is told. Thread-safe.
/// </summary>
public interface ISessionStore
{
    /// <summary>The kept session and its ETag, or null.</summary>
    ValueTask<StoredSession?> LoadAsync(SessionKey key, CancellationToken cancellation = default);

    /// <summary>Saves and returns the new ETag; durable when it returns, if the store is.</summary>
    /// <param name="expectedETag">The ETag that was loaded; null when the key must be new.</param>
    /// <exception cref="SessionStoreConflictException">Somebody else saved since.</exception>
    ValueTask<string> SaveAsync(SessionSnapshot snapshot, string? expectedETag, CancellationToken cancellation = default);

    /// <summary>False when there was nothing to delete.</summary>
    ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellation = default);

    /// <summary>The tenant's keys, most recently saved first, at most <paramref name="limit"/>.</summary>
    ValueTask<IReadOnlyList<SessionKey>> ListAsync(string tenant, int limit, CancellationToken cancellation = default);
}

public sealed record StoredSession(SessionSnapshot Snapshot, string ETag);

/// <summary>The stored record is not the one that was loaded: another activation of this session has committed.</summary>
public sealed class SessionStoreConflictException(SessionKey key) : Exception($"Session {key} was changed by somebody else.")
{
    public SessionKey Key { get; } = key;
}
