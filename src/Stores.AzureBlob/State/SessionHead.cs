using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Azure;
using LServe.Contracts;
using LServe.Sessions;

namespace LServe.Stores.AzureBlob;

/// <param name="Turn">The session's turns after the block; null: it adds none.</param>
internal readonly record struct StateBlock(string Id, int? Turn);

/// <summary>Where a session's state blob stands: all that the next commit must know. Immutable.</summary>
/// <param name="Commit">Names the commit; the session's ETag.</param>
/// <param name="ETag">The blob's own, which changes with moves of records, too.</param>
/// <param name="Chain">Checksum of the last turn's block.</param>
/// <param name="Records">Not changed once it is here.</param>
internal sealed record SessionHead(
    string Commit, ETag ETag, ImmutableArray<StateBlock> Blocks, int Tokens, int Runs, int Messages, long Prefix, ulong Chain, RecordHistory Records)
{
    /// <summary>The blob's, <see cref="StateMetadata"/>.</summary>
    public required IDictionary<string, string> Metadata { get; init; }

    /// <summary>Blocks: most before a commit stands for all that was before it. Azure allows 50,000.</summary>
    private const int MaxBlocks = 40_000;

    /// <summary>Turns in the blob.</summary>
    public int TurnBlocks => Blocks.Count(block => block.Turn is not null);

    /// <summary>The block that brings a session to <paramref name="snapshot"/>, and where it stands then, but for the blob's ETag.</summary>
    /// <param name="before">Where it stands; null: it is new.</param>
    /// <param name="commit">A name that no other commit has.</param>
    public static (StateEntry Entry, byte[] Bytes, SessionHead Next) Advance(SessionHead? before, SessionSnapshot snapshot, string commit, long block, int keepTurns)
    {
        var from = before is not null && before.IsContinuedBy(snapshot) ? before : null;
        var body = TurnBody.Of(snapshot, from?.Tokens ?? 0, from?.Runs ?? 0, from?.Messages ?? 0);
        var records = from?.Records.Copy() ?? new();
        var change = records.ChangeTo(snapshot.Kv);
        var place = from?.TurnBlocks ?? 0;
        records.Apply(place, change);
        records.Forget(place - keepTurns + 1);
        var tokens = MemoryMarshal.AsBytes(SessionPrefix.AsSpan(snapshot.Tokens)[body.TokensBefore..]).ToArray();
        var entry = new StateEntry(EntryKind.Turn, block, snapshot.Turns, tokens, body.Write(), RecordBytes.Write(change));
        var bytes = entry.Write(from?.Chain ?? SeedOf(snapshot.Key), out var chain);
        return (entry, bytes, new(
            commit, default, (from?.Blocks ?? []).Add(new(entry.BlockId, snapshot.Turns)), snapshot.Tokens.Count, snapshot.Runs.Count, snapshot.Messages.Count,
            SessionPrefix.Of(snapshot, snapshot.Tokens.Count, snapshot.Runs.Count, snapshot.Messages.Count), chain, records)
        {
            Metadata = StateMetadata.Of(commit, snapshot),
        });
    }

    /// <summary>The block that names new places of records, and where the session stands then: at the same commit.</summary>
    public (StateEntry Entry, byte[] Bytes, SessionHead Next) Move(SessionKey key, IReadOnlyDictionary<KvLocator, KvLocator?> moved, long block)
    {
        var entry = new StateEntry(EntryKind.Moves, block, 0, default, default, RecordBytes.Write(moved));
        var records = Records.Copy();
        records.Move(moved);
        return (entry, entry.Write(SeedOf(key), out _), this with { Blocks = Blocks.Add(new(entry.BlockId, null)), Records = records });
    }

    /// <summary>What the checksum of a session's first turn, and of moves, is seeded with.</summary>
    public static ulong SeedOf(SessionKey key) => (ulong)SessionId.Of(key);

    private bool IsContinuedBy(SessionSnapshot snapshot) =>
        Blocks.Length < MaxBlocks && snapshot.Tokens.Count >= Tokens && snapshot.Runs.Count >= Runs && snapshot.Messages.Count >= Messages
        && SessionPrefix.Of(snapshot, Tokens, Runs, Messages) == Prefix;
}
