namespace LServe.Model;

/// <summary>Reads the merges of a byte-level vocabulary: strings of two pieces with a space between, in the order of their rank.</summary>
internal static class GgufMerges
{
    private const int MaxMergeBytes = 4096;

    public static MergeTable Read(GgufMetadata metadata, string key, PieceIndex index)
    {
        var strings = metadata.RequiredStrings(key);
        if (strings.Count > ModelLimits.MaxMerges) throw metadata.Problem(key, $"has {strings.Count} merges; at most {ModelLimits.MaxMerges} work.");
        var table = new MergeTable(strings.Count);
        Span<byte> bytes = stackalloc byte[MaxMergeBytes];
        var rank = 0;
        var enumerator = strings.GetEnumerator();
        while (enumerator.MoveNext())
        {
            var merge = enumerator.Current;
            var space = merge.IndexOf((byte)' ');
            if (space <= 0 || merge.Length > MaxMergeBytes) throw metadata.Problem(key, enumerator.Offset, $"merge {rank} is not two pieces with a space between.");
            if (!TryAdd(table, index, merge[..space], merge[(space + 1)..], bytes, rank))
                throw metadata.Problem(key, enumerator.Offset, $"merge {rank} names a piece that is not in the vocabulary.");
            rank++;
        }
        return table;
    }

    private static bool TryAdd(MergeTable table, PieceIndex index, ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, Span<byte> bytes, int rank)
    {
        var leftLength = ByteAlphabet.Decode(left, bytes);
        if (leftLength < 0) return false;
        var rightLength = ByteAlphabet.Decode(right, bytes[leftLength..]);
        if (rightLength < 0) return false;
        var leftToken = index.Find(bytes[..leftLength]);
        var rightToken = index.Find(bytes.Slice(leftLength, rightLength));
        var merged = index.Find(bytes[..(leftLength + rightLength)]);
        if (leftToken < 0 || rightToken < 0 || merged < 0) return false;
        table.Add(leftToken, rightToken, rank, merged);
        return true;
    }
}
