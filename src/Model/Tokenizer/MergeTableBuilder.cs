using System.Runtime.CompilerServices;

namespace LServe.Model;

/// <summary>Fills a <see cref="MergeTable"/> from pairs of pieces as vocabulary files spell them, in the order of their rank.</summary>
internal sealed class MergeTableBuilder(PieceIndex index, PieceSpelling spelling, int capacity)
{
    /// <summary>Bytes of both pieces as spelled.</summary>
    public const int MaxMergeBytes = 4096;

    private readonly byte[] _buffer = new byte[MaxMergeBytes];

    public MergeTable Table { get; } = new(capacity);

    /// <summary>Merges added, and the rank of the next.</summary>
    public int Rank { get; private set; }

    /// <summary>False if the pieces, or what they merge to, are not in the vocabulary.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool TryAdd(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        if (left.Length + right.Length > MaxMergeBytes) return false;
        var leftBytes = PieceText.DecodeNormal(left, spelling, _buffer);
        leftBytes.CopyTo(_buffer);
        var rightBytes = PieceText.DecodeNormal(right, spelling, _buffer.AsSpan(leftBytes.Length));
        rightBytes.CopyTo(_buffer.AsSpan(leftBytes.Length));
        var leftToken = index.Find(leftBytes);
        var rightToken = index.Find(rightBytes);
        var merged = index.Find(_buffer.AsSpan(0, leftBytes.Length + rightBytes.Length));
        if (leftToken < 0 || rightToken < 0 || merged < 0) return false;
        Table.Add(leftToken, rightToken, Rank++, merged);
        return true;
    }
}
