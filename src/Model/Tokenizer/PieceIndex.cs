using System.Runtime.CompilerServices;
using System.Numerics;

namespace LServe.Model;

/// <summary>
/// Finds the ordinary token of given bytes. Open addressing over the vocabulary's own memory, so that opening a model stays fast.
/// </summary>
internal sealed class PieceIndex
{
    private readonly Vocabulary _vocabulary;
    private readonly int[] _slots; // token + 1; 0 is free

    public PieceIndex(Vocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        _slots = new int[BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, 2 * vocabulary.Count))];
        for (var token = 0; token < vocabulary.Count; token++)
            if (vocabulary.KindOf(token) == TokenKind.Normal)
                Add(token);
    }

    /// <summary>The token, or -1.</summary>
    public int Find(ReadOnlySpan<byte> piece)
    {
        var slot = _slots[SlotOf(piece)];
        return slot - 1;
    }

    /// <summary>Of two tokens for the same bytes the first counts.</summary>
    private void Add(int token)
    {
        ref var slot = ref _slots[SlotOf(_vocabulary[token])];
        if (slot == 0) slot = token + 1;
    }

    // Like its callers compiled well at once: a model is open before the runtime would recompile what is called often.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int SlotOf(ReadOnlySpan<byte> piece)
    {
        var mask = _slots.Length - 1;
        var slot = (int)ByteHash.Of(piece) & mask;
        while (_slots[slot] != 0 && !_vocabulary[_slots[slot] - 1].SequenceEqual(piece)) slot = (slot + 1) & mask;
        return slot;
    }
}
