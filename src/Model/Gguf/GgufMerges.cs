using System.Runtime.CompilerServices;

namespace LServe.Model;

/// <summary>Reads the merges of a byte-level vocabulary: strings of two pieces with a space between, in the order of their rank.</summary>
internal static class GgufMerges
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static MergeTable Read(GgufMetadata metadata, string key, PieceIndex index)
    {
        var strings = metadata.RequiredStrings(key);
        if (strings.Count > ModelLimits.MaxMerges)
            throw metadata.Problem(key, $"has {strings.Count} merges; at most {ModelLimits.MaxMerges} work.");
        var builder = new MergeTableBuilder(index, PieceSpelling.ByteAlphabet, strings.Count);
        var enumerator = strings.GetEnumerator();
        while (enumerator.MoveNext())
        {
            var merge = enumerator.Current;
            var space = merge.IndexOf((byte)' ');
            if (space <= 0) throw metadata.Problem(key, enumerator.Offset, $"merge {builder.Rank} is not two pieces with a space between.");
            if (!builder.TryAdd(merge[..space], merge[(space + 1)..]))
                throw metadata.Problem(key, enumerator.Offset, $"merge {builder.Rank} names a piece that is not in the vocabulary.");
        }
        return builder.Table;
    }
}
