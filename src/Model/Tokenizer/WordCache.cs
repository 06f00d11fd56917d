namespace LServe.Model;

/// <summary>
/// Remembers the tokens of short words. Each word has one slot, where a newer word replaces it; slots are replaced whole, so readers need
/// no lock.
/// </summary>
internal sealed class WordCache
{
    /// <summary>Words.</summary>
    public const int MaxWords = 8192;

    /// <summary>Bytes of a word worth remembering.</summary>
    public const int MaxWordBytes = 24;

    private sealed record Entry(byte[] Word, int[] Tokens);

    private readonly Entry?[] _entries = new Entry?[MaxWords];

    public bool TryAppend(ReadOnlySpan<byte> word, List<int> output)
    {
        if (word.Length > MaxWordBytes || Volatile.Read(ref _entries[SlotOf(word)]) is not { } entry || !word.SequenceEqual(entry.Word))
            return false;
        output.AddRange(entry.Tokens.AsSpan());
        return true;
    }

    public void Remember(ReadOnlySpan<byte> word, ReadOnlySpan<int> tokens)
    {
        if (word.Length > MaxWordBytes) return;
        Volatile.Write(ref _entries[SlotOf(word)], new Entry(word.ToArray(), tokens.ToArray()));
    }

    private static int SlotOf(ReadOnlySpan<byte> word) => (int)(ByteHash.Of(word) % MaxWords);
}
