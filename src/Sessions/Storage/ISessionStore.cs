using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>
/// Keeps the state of sessions, one per key, with optimistic concurrency: a save names the ETag it replaces, so that of two writers
/// one is told. Remembers how a session was after its last turns. Thread-safe.
/// </summary>
public interface ISessionStore
{
    /// <summary>The kept session and its ETag, or null.</summary>
    /// <exception cref="SessionStoreException">What is kept is damaged, or can't be read.</exception>
    ValueTask<StoredSession?> LoadAsync(SessionKey key, CancellationToken cancellation = default);

    /// <summary>The session as it was after its turn <paramref name="turn"/>, from 1; null when there was no such turn or it isn't known any more.</summary>
    /// <exception cref="SessionStoreException">What is kept is damaged, or can't be read.</exception>
    ValueTask<StoredSession?> LoadTurnAsync(SessionKey key, int turn, CancellationToken cancellation = default);

    /// <summary>Saves and returns the new ETag; durable when it returns, if the store is.</summary>
    /// <param name="expectedETag">The ETag that was loaded; null when the key must be new.</param>
    /// <exception cref="SessionStoreConflictException">Somebody else saved since.</exception>
    /// <exception cref="SessionStoreException">It couldn't be saved; what was saved before still is.</exception>
    ValueTask<string> SaveAsync(SessionSnapshot snapshot, string? expectedETag, CancellationToken cancellation = default);

    /// <summary>Makes the session what it was after <paramref name="turn"/> and forgets the turns since; null when that isn't known any more.</summary>
    /// <param name="expectedETag">The ETag that was loaded; null: whatever is kept, damaged or not.</param>
    /// <exception cref="SessionStoreConflictException">Somebody else saved since.</exception>
    ValueTask<StoredSession?> RewindAsync(SessionKey key, int turn, string? expectedETag, CancellationToken cancellation = default);

    /// <summary>The records of all turns that can be rewound to with their pages; everything else in the session's page files is garbage.</summary>
    ValueTask<IReadOnlyList<KeyValuePair<KvRecordId, KvLocator>>> ListRecordsAsync(SessionKey key, CancellationToken cancellation = default);

    /// <summary>Names the new places of records that were moved, all at once; null: the record is gone. The ETag stays.</summary>
    ValueTask MoveRecordsAsync(SessionKey key, IReadOnlyDictionary<KvLocator, KvLocator?> moved, CancellationToken cancellation = default);

    /// <summary>
    /// Notes how far the answer in progress is, or forgets it; durable when it returns, if the store is. Whatever is committed for the
    /// session next forgets it, too.
    /// </summary>
    ValueTask NoteAsync(SessionKey key, InterruptedAnswer? answer, CancellationToken cancellation = default);

    /// <summary>What was noted last and not forgotten since, or null.</summary>
    ValueTask<InterruptedAnswer?> LoadNoteAsync(SessionKey key, CancellationToken cancellation = default);

    /// <summary>False when there was nothing to delete.</summary>
    ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellation = default);

    /// <summary>The tenant's sessions, most recently used first, at most <paramref name="limit"/>; loads none of them.</summary>
    ValueTask<IReadOnlyList<SessionSummary>> ListAsync(string tenant, int limit, CancellationToken cancellation = default);
}

public sealed record StoredSession(SessionSnapshot Snapshot, string ETag);

/// <summary>What a list says of a session.</summary>
public sealed record SessionSummary(
    SessionKey Key, string Model, int Tokens, int Turns, string? LastTurnId, DateTimeOffset Created, DateTimeOffset LastUsed)
{
    public static SessionSummary Of(SessionSnapshot s) => new(s.Key, s.Model, s.Tokens.Count, s.Turns, s.LastTurn?.TurnId, s.Created, s.LastUsed);
}
