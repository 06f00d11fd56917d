using System.Runtime.CompilerServices;
using System.Numerics;

namespace LServe.Model;

/// <summary>Which two neighbouring tokens become one, and how early. Open addressing by the pair.</summary>
internal sealed class MergeTable
{
    private readonly ulong[] _pairs; // left << 32 | right, plus one; 0 is free
    private readonly (int Rank, int Token)[] _merges;

    /// <param name="capacity">Most merges that will be added.</param>
    public MergeTable(int capacity)
    {
        var slots = BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, 2L * capacity));
        (_pairs, _merges) = (new ulong[slots], new (int, int)[slots]);
    }

    /// <summary>Adds a merge; of two for the same pair the first counts.</summary>
    /// <param name="rank">Lower merges earlier.</param>
    public void Add(int left, int right, int rank, int token)
    {
        var slot = SlotOf(left, right);
        if (_pairs[slot] != 0) return;
        _pairs[slot] = KeyOf(left, right);
        _merges[slot] = (rank, token);
    }

    public bool TryGet(int left, int right, out int rank, out int token)
    {
        var slot = SlotOf(left, right);
        (rank, token) = _merges[slot];
        return _pairs[slot] != 0;
    }

    private static ulong KeyOf(int left, int right) => ((ulong)(uint)left << 32 | (uint)right) + 1;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int SlotOf(int left, int right)
    {
        var (key, mask) = (KeyOf(left, right), _pairs.Length - 1);
        var slot = (int)ByteHash.Of(key) & mask;
        while (_pairs[slot] != 0 && _pairs[slot] != key) slot = (slot + 1) & mask;
        return slot;
    }
}
