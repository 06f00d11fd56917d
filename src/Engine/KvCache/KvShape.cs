using System.Buffers.Binary;

namespace LServe.Inference;

/// <summary>Which pages the cache of a sequence has.</summary>
/// <param name="CachedLength">Tokens with keys and values: the first ones.</param>
/// <param name="SinkPages">Streaming pages before those that were given back; 0 when none was.</param>
/// <param name="Dropped">Streaming pages that were given back since the window has passed them.</param>
public readonly record struct KvShape(int CachedLength, int SinkPages, int Dropped)
{
    /// <summary>Bytes of <see cref="Write"/>: the three numbers, little-endian.</summary>
    public const int SavedBytes = 3 * sizeof(int);

    /// <summary>Pages of each table up to the last token, those given back included.</summary>
    public int PageCount => KvGeometry.PagesFor(CachedLength);

    /// <summary>Tokens that a page has, 1 … 64.</summary>
    public int TokensIn(int index) => Math.Min(KvGeometry.PageTokens, CachedLength - index * KvGeometry.PageTokens);

    /// <summary>Every page that is held, pool by pool, ascending.</summary>
    /// <param name="anyStreams">Whether there is a streaming pool.</param>
    public IEnumerable<KvPageId> Held(bool anyStreams)
    {
        for (var page = 0; page < PageCount; page++) yield return new(KvPool.Retrieval, page);
        for (var page = 0; anyStreams && page < PageCount; page++)
            if (page < SinkPages || page >= SinkPages + Dropped)
                yield return new(KvPool.Streaming, page);
    }

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteInt32LittleEndian(to, CachedLength);
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], SinkPages);
        BinaryPrimitives.WriteInt32LittleEndian(to[8..], Dropped);
    }

    /// <summary>Reads what <see cref="Write"/> wrote; false if the bytes are no shape.</summary>
    public static bool TryRead(ReadOnlySpan<byte> from, out KvShape shape)
    {
        shape = default;
        if (from.Length < SavedBytes) return false;
        shape = new(
            BinaryPrimitives.ReadInt32LittleEndian(from), BinaryPrimitives.ReadInt32LittleEndian(from[4..]), BinaryPrimitives.ReadInt32LittleEndian(from[8..]));
        return shape is { CachedLength: > 0, SinkPages: >= 0, Dropped: >= 0 } && (long)shape.SinkPages + shape.Dropped <= shape.PageCount;
    }
}
