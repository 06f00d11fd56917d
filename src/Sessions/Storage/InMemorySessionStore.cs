using System.Globalization;
using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>Keeps sessions while the process lives.</summary>
/// <param name="maxSessions">Sessions: most that are kept; past it a new one is refused, since dropping an old one would lose it.</param>
/// <param name="keepTurns">Turns: the last ones of each session that can be loaded and rewound to.</param>
public sealed class InMemorySessionStore(
    int maxSessions = InMemorySessionStore.DefaultMaxSessions, int keepTurns = InMemorySessionStore.DefaultKeepTurns) : ISessionStore
{
    public const int DefaultMaxSessions = 10_000;
    public const int DefaultKeepTurns = 8;

    private readonly Lock _lock = new();
    private readonly Dictionary<SessionKey, List<StoredSession>> _sessions = [];
    private readonly Dictionary<SessionKey, InterruptedAnswer> _notes = [];
    private long _version;

    public ValueTask<StoredSession?> LoadAsync(SessionKey key, CancellationToken cancellation = default)
    {
        lock (_lock) return ValueTask.FromResult(_sessions.GetValueOrDefault(key)?[^1]);
    }

    public ValueTask<StoredSession?> LoadTurnAsync(SessionKey key, int turn, CancellationToken cancellation = default)
    {
        lock (_lock) return ValueTask.FromResult(_sessions.GetValueOrDefault(key)?.FindLast(s => s.Snapshot.Turns == turn));
    }

    public ValueTask<string> SaveAsync(SessionSnapshot snapshot, string? expectedETag, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            var turns = _sessions.GetValueOrDefault(snapshot.Key);
            if (turns?[^1].ETag != expectedETag) throw new SessionStoreConflictException(snapshot.Key);
            _notes.Remove(snapshot.Key);
            if (turns is null) _sessions[snapshot.Key] = turns = NewSession();
            turns.Add(new(snapshot, (++_version).ToString(CultureInfo.InvariantCulture)));
            if (turns.Count > keepTurns) turns.RemoveAt(0);
            return ValueTask.FromResult(turns[^1].ETag);
        }
    }

    public ValueTask<StoredSession?> RewindAsync(SessionKey key, int turn, string? expectedETag, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            var turns = _sessions.GetValueOrDefault(key);
            if (expectedETag is not null && turns?[^1].ETag != expectedETag) throw new SessionStoreConflictException(key);
            if (turns is null) return ValueTask.FromResult<StoredSession?>(null);
            _notes.Remove(key);
            var at = turns.FindLastIndex(s => s.Snapshot.Turns == turn);
            if (at >= 0) turns.RemoveRange(at + 1, turns.Count - at - 1);
            return ValueTask.FromResult(at < 0 ? null : turns[at]);
        }
    }

    public ValueTask<IReadOnlyList<KeyValuePair<KvRecordId, KvLocator>>> ListRecordsAsync(SessionKey key, CancellationToken cancellation = default)
    {
        lock (_lock)
            return ValueTask.FromResult<IReadOnlyList<KeyValuePair<KvRecordId, KvLocator>>>(
                [.. (_sessions.GetValueOrDefault(key) ?? []).SelectMany(s => s.Snapshot.Kv).Distinct()]);
    }

    public ValueTask MoveRecordsAsync(SessionKey key, IReadOnlyDictionary<KvLocator, KvLocator?> moved, CancellationToken cancellation = default)
    {
        lock (_lock)
            if (_sessions.TryGetValue(key, out var turns))
                _sessions[key] = [.. turns.Select(turn => turn with { Snapshot = turn.Snapshot with { Kv = Move(turn.Snapshot.Kv, moved) } })];
        return ValueTask.CompletedTask;
    }

    public ValueTask NoteAsync(SessionKey key, InterruptedAnswer? answer, CancellationToken cancellation = default)
    {
        lock (_lock)
            if (answer is null) _notes.Remove(key);
            else _notes[key] = answer;
        return ValueTask.CompletedTask;
    }

    public ValueTask<InterruptedAnswer?> LoadNoteAsync(SessionKey key, CancellationToken cancellation = default)
    {
        lock (_lock) return ValueTask.FromResult(_notes.GetValueOrDefault(key));
    }

    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellation = default)
    {
        lock (_lock) return ValueTask.FromResult(_notes.Remove(key) | _sessions.Remove(key));
    }

    public ValueTask<IReadOnlyList<SessionSummary>> ListAsync(string tenant, int limit, CancellationToken cancellation = default)
    {
        lock (_lock)
            return ValueTask.FromResult<IReadOnlyList<SessionSummary>>(
            [
                .. _sessions.Values.Select(turns => turns[^1].Snapshot).Where(s => s.Key.Tenant == tenant)
                    .OrderByDescending(s => s.LastUsed).Take(limit).Select(SessionSummary.Of),
            ]);
    }

    private static Dictionary<KvRecordId, KvLocator> Move(
        IReadOnlyDictionary<KvRecordId, KvLocator> records, IReadOnlyDictionary<KvLocator, KvLocator?> moved) => records
        .Select(r => (r.Key, Place: moved.TryGetValue(r.Value, out var place) ? place : r.Value))
        .Where(r => r.Place is not null).ToDictionary(r => r.Key, r => r.Place!.Value);

    private List<StoredSession> NewSession() => _sessions.Count < maxSessions
        ? []
        : throw LServeException.RateLimited($"{maxSessions} sessions are kept, which is this server's limit. Delete some.", 60);
}
