using System.Collections.Concurrent;
using System.Globalization;
using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>Keeps sessions while the process lives.</summary>
/// <param name="maxSessions">Sessions: most that are kept; past it a new one is refused, since dropping an old one would lose it.</param>
public sealed class InMemorySessionStore(int maxSessions = InMemorySessionStore.DefaultMaxSessions) : ISessionStore
{
    public const int DefaultMaxSessions = 10_000;

    private readonly ConcurrentDictionary<SessionKey, StoredSession> _sessions = new();
    private long _version;

    public ValueTask<StoredSession?> LoadAsync(SessionKey key, CancellationToken cancellation = default) =>
        ValueTask.FromResult(_sessions.GetValueOrDefault(key));

    public ValueTask<string> SaveAsync(SessionSnapshot snapshot, string? expectedETag, CancellationToken cancellation = default)
    {
        var etag = Interlocked.Increment(ref _version).ToString(CultureInfo.InvariantCulture);
        var next = new StoredSession(snapshot, etag);
        if (!(expectedETag is null ? TryAdd(snapshot.Key, next) : TryReplace(snapshot.Key, next, expectedETag)))
            throw new SessionStoreConflictException(snapshot.Key);
        return ValueTask.FromResult(etag);
    }

    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellation = default) =>
        ValueTask.FromResult(_sessions.TryRemove(key, out _));

    public ValueTask<IReadOnlyList<SessionKey>> ListAsync(string tenant, int limit, CancellationToken cancellation = default) =>
        ValueTask.FromResult<IReadOnlyList<SessionKey>>(
        [
            .. _sessions.Values.Select(s => s.Snapshot).Where(s => s.Key.Tenant == tenant)
                .OrderByDescending(s => s.LastUsed).Take(limit).Select(s => s.Key),
        ]);

    private bool TryAdd(SessionKey key, StoredSession next)
    {
        if (_sessions.Count >= maxSessions && !_sessions.ContainsKey(key))
            throw LServeException.RateLimited($"{maxSessions} sessions are kept, which is this server's limit. Delete some.", 60);
        return _sessions.TryAdd(key, next);
    }

    private bool TryReplace(SessionKey key, StoredSession next, string expectedETag) =>
        _sessions.TryGetValue(key, out var current) && current.ETag == expectedETag && _sessions.TryUpdate(key, next, current);
}
