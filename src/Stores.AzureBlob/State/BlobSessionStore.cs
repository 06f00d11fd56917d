using System.Globalization;
using Azure.Storage.Blobs;
using LServe.Contracts;
using LServe.Sessions;

namespace LServe.Stores.AzureBlob;

/// <summary>
/// The state of sessions, one block blob each. A turn stages a block with what is new, then commits the list of blocks, on the condition
/// that the blob is still the one that it goes on from: two requests, and of two writers exactly one succeeds. Going back to an earlier
/// turn commits a shorter list.
/// </summary>
internal sealed class BlobSessionStore(BlobContainerClient container, AzureBlobOptions options, AzureFailures failures) : ISessionStore
{
    /// <summary>Tries of a change that somebody else's moves of records got in the way of.</summary>
    private const int MaxAttempts = 4;

    private readonly StateBlobs _states = new(container, options);
    private readonly NoteBlobs _notes = new(container);

    /// <summary>Commits that no note goes on from, so that whoever lists sessions needn't ask for each.</summary>
    private readonly Remembered<string> _noteless = new(options.MaxKnownSessions);

    public async ValueTask<StoredSession?> LoadAsync(SessionKey key, CancellationToken cancellation = default) =>
        await failures.RunAsync(async () => ToStored(await _states.ReadAsync(key, null, cancellation)));

    public async ValueTask<StoredSession?> LoadTurnAsync(SessionKey key, int turn, CancellationToken cancellation = default) =>
        await failures.RunAsync(async () => ToStored(await _states.ReadAsync(key, turn, cancellation)));

    public async ValueTask<string> SaveAsync(SessionSnapshot snapshot, string? expectedETag, CancellationToken cancellation = default) =>
        await failures.RunAsync(() => SaveOnAsync(snapshot, expectedETag, cancellation));

    public async ValueTask<StoredSession?> RewindAsync(SessionKey key, int turn, string? expectedETag, CancellationToken cancellation = default) =>
        await failures.RunAsync(() => RewindFromAsync(key, turn, expectedETag, cancellation));

    public async ValueTask<IReadOnlyList<KeyValuePair<KvRecordId, KvLocator>>> ListRecordsAsync(SessionKey key, CancellationToken cancellation = default) =>
        await failures.RunAsync(async () => (_states.Known(key) ?? (await _states.ReadAsync(key, null, cancellation))?.Head)?.Records.All ?? []);

    public async ValueTask MoveRecordsAsync(SessionKey key, IReadOnlyDictionary<KvLocator, KvLocator?> moved, CancellationToken cancellation = default) =>
        await failures.RunAsync(() => MoveAsync(key, moved, cancellation));

    public async ValueTask NoteAsync(SessionKey key, InterruptedAnswer? answer, CancellationToken cancellation = default) => await failures.RunAsync(async () =>
    {
        _noteless.Forget(key);
        if (answer is null) await _notes.DeleteAsync(key, cancellation);
        else await _notes.WriteAsync(key, _states.Known(key)?.Commit ?? await _states.CommitOfAsync(key, cancellation), answer, cancellation);
    });

    public async ValueTask<InterruptedAnswer?> LoadNoteAsync(SessionKey key, CancellationToken cancellation = default) => await failures.RunAsync(async () =>
    {
        var known = _states.Known(key)?.Commit;
        if (known is not null && _noteless.TryGet(key, out var noteless) && noteless == known) return null;
        if (await _notes.ReadAsync(key, cancellation) is { } note && note.Commit == await _states.CommitOfAsync(key, cancellation)) return note.Answer;
        if (known is not null) _noteless.Set(key, known);
        return null;
    });

    public async ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellation = default) => await failures.RunAsync(async () =>
        await _states.DeleteAsync(key, cancellation) | await _notes.DeleteAsync(key, cancellation));

    public async ValueTask<IReadOnlyList<SessionSummary>> ListAsync(string tenant, int limit, CancellationToken cancellation = default) =>
        await failures.RunAsync(async () =>
        {
            // The blobs come in the order of their names: of all of them the last used ones are kept.
            var latest = new PriorityQueue<SessionSummary, DateTimeOffset>();
            await foreach (var summary in _states.ListAsync(tenant, cancellation))
            {
                latest.Enqueue(summary, summary.LastUsed);
                if (latest.Count > limit) latest.Dequeue();
            }
            return (IReadOnlyList<SessionSummary>)[.. latest.UnorderedItems.Select(item => item.Element).OrderByDescending(s => s.LastUsed)];
        });

    private async Task<string> SaveOnAsync(SessionSnapshot snapshot, string? expected, CancellationToken cancellation)
    {
        var (key, commit) = (snapshot.Key, StateBlobs.NewId().ToString("x16", CultureInfo.InvariantCulture));
        var before = _states.Known(key);
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (before?.Commit != expected) before = (await _states.ReadAsync(key, null, cancellation))?.Head;
            // This commit, whose answer was lost on the way.
            if (before?.Commit == commit) return commit;
            if (before?.Commit != expected) throw new SessionStoreConflictException(key);
            var (entry, bytes, next) = SessionHead.Advance(before, snapshot, commit, StateBlobs.NewId(), options.KeepTurns);
            await _states.StageAsync(key, entry, bytes, cancellation);
            if (await _states.CommitAsync(key, before, next, cancellation))
            {
                _noteless.Set(key, commit);
                return commit;
            }
            before = (await _states.ReadAsync(key, null, cancellation))?.Head;
        }
        throw Busy(key);
    }

    private async Task<StoredSession?> RewindFromAsync(SessionKey key, int turn, string? expected, CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var read = await _states.ReadAsync(key, turn, cancellation);
            if (expected is not null && (read?.Head.Commit ?? await _states.CommitOfAsync(key, cancellation)) != expected) throw new SessionStoreConflictException(key);
            if (read is null) return null;
            var commit = StateBlobs.NewId().ToString("x16", CultureInfo.InvariantCulture);
            if (await _states.CommitAsync(key, read.Head, read.Head with { Commit = commit, Metadata = StateMetadata.Of(commit, read.Snapshot) }, cancellation))
                return new(read.Snapshot, commit);
        }
        throw Busy(key);
    }

    private async Task MoveAsync(SessionKey key, IReadOnlyDictionary<KvLocator, KvLocator?> moved, CancellationToken cancellation)
    {
        var before = _states.Known(key) ?? (await _states.ReadAsync(key, null, cancellation))?.Head;
        if (before is null || moved.Count == 0) return;
        var (entry, bytes, next) = before.Move(key, moved, StateBlobs.NewId());
        await _states.StageAsync(key, entry, bytes, cancellation);
        if (await _states.CommitAsync(key, before, next, cancellation)) return;
        // Records that came meanwhile would be taken for garbage: better none is moved.
        throw new SessionStoreException(StoreFailure.Unavailable, $"Session {key} was changed by somebody else while its records were moved.");
    }

    private static StoredSession? ToStored(StateReading? read) => read is null ? null : new(read.Snapshot, read.Head.Commit);

    private static SessionStoreException Busy(SessionKey key) =>
        new(StoreFailure.Unavailable, $"Session {key} is being changed by others over and over; send the turn again.");
}
