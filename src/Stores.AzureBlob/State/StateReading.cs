using System.Collections.Immutable;
using Azure;
using LServe.Contracts;
using LServe.Sessions;

namespace LServe.Stores.AzureBlob;

/// <summary>What a state blob says, as of one of its turns.</summary>
internal sealed record StateReading(SessionHead Head, SessionSnapshot Snapshot)
{
    /// <summary>Reads a blob.</summary>
    /// <param name="upTo">Reads turns no further than this one, so that what was damaged since can be left behind; null: all.</param>
    /// <returns>Null when there is no such turn.</returns>
    /// <exception cref="SessionStoreException">It is damaged, or of a later version.</exception>
    public static StateReading? Of(SessionKey key, ReadOnlyMemory<byte> blob, IDictionary<string, string> metadata, ETag etag, int? upTo, int keepTurns)
    {
        var commit = StateMetadata.CommitOf(metadata);
        var reader = new Reader(key);
        reader.ReadAll(blob);
        var kept = upTo is { } turn ? reader.UpTo(turn) : reader.Entries;
        if (kept.Count == 0 && upTo is not null && reader.Entries.Count > 0) return null;
        var (history, records, chain, turns) = (new TurnHistory(key), new RecordHistory(), 0UL, 0);
        foreach (var (entry, checksum) in kept)
            if (entry.Kind == EntryKind.Turn)
            {
                history.Add(entry.Tokens.Span, entry.Body.Span);
                records.Apply(turns++, RecordBytes.ReadChange(entry.Records));
                chain = checksum;
            }
        // Moves say of places, of which each was there once only, so that they hold for turns before and after them.
        foreach (var (entry, _) in kept.Where(e => e.Entry.Kind == EntryKind.Moves)) records.Move(RecordBytes.ReadMoves(entry.Records));
        records.Forget(turns - keepTurns);
        if (upTo is null && (reader.Damaged || commit is null)) throw history.Damaged();
        var snapshot = history.ToSnapshot(records.Current);
        return new(
            new(
                commit ?? "", etag, [.. kept.Select(e => new StateBlock(e.Entry.BlockId, e.Entry.Kind == EntryKind.Turn ? e.Entry.Turn : null))],
                snapshot.Tokens.Count, snapshot.Runs.Count, snapshot.Messages.Count,
                SessionPrefix.Of(snapshot, snapshot.Tokens.Count, snapshot.Runs.Count, snapshot.Messages.Count), chain, records)
            {
                Metadata = metadata,
            },
            snapshot);
    }

    /// <summary>Takes a blob apart, up to the first block that isn't what was written.</summary>
    private sealed class Reader(SessionKey key)
    {
        private readonly ulong _seed = SessionHead.SeedOf(key);

        public List<(StateEntry Entry, ulong Checksum)> Entries { get; } = [];
        public bool Damaged { get; private set; }

        public void ReadAll(ReadOnlyMemory<byte> blob)
        {
            for (var chain = _seed; blob.Length > 0;)
            {
                var before = chain;
                if (StateEntry.Read(blob, kind => kind == EntryKind.Turn ? before : _seed, out var length, out var checksum) is not { } entry)
                {
                    Damaged = true;
                    return;
                }
                Entries.Add((entry, checksum));
                if (entry.Kind == EntryKind.Turn) chain = checksum;
                blob = blob[length..];
            }
            Damaged = Entries.Count == 0;
        }

        /// <summary>The blocks without the turns after one; empty when there is no such turn.</summary>
        public List<(StateEntry Entry, ulong Checksum)> UpTo(int turn)
        {
            var last = Entries.FindLastIndex(e => e.Entry.Kind == EntryKind.Turn && e.Entry.Turn == turn);
            return last < 0 ? [] : [.. Entries.Where((e, i) => i <= last || e.Entry.Kind == EntryKind.Moves)];
        }
    }
}
