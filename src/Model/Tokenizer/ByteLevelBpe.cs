using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;

namespace LServe.Model;

/// <summary>Byte-level BPE: text is cut into words, and the bytes of each word merge into tokens.</summary>
internal sealed class ByteLevelBpe : TokenizerBase
{
    private readonly PieceIndex _index;
    private readonly MergeTable _merges;
    private readonly IPreTokenizer _preTokenizer;
    private readonly bool _isComposed, _wholeWordsFirst;
    private readonly int[] _byteTokens = new int[256];
    private readonly WordCache _cache = new();
    private readonly ConcurrentBag<BpeMerger> _mergers = [];

    /// <param name="isComposed">Text is brought to normal form C first.</param>
    /// <param name="wholeWordsFirst">A word that is a token of its own is not built from merges.</param>
    public ByteLevelBpe(
        Vocabulary vocabulary, PieceIndex index, MergeTable merges, IPreTokenizer preTokenizer, bool isComposed, bool wholeWordsFirst,
        int? beginToken, IReadOnlyList<int> endTokens) : base(vocabulary, beginToken, endTokens)
    {
        (_index, _merges, _preTokenizer, _isComposed, _wholeWordsFirst) = (index, merges, preTokenizer, isComposed, wholeWordsFirst);
        for (var b = 0; b < 256; b++) _byteTokens[b] = index.Find([(byte)b]);
    }

    protected override void EncodeText(ReadOnlySpan<char> text, TextPlace place, List<int> output)
    {
        if (_isComposed && !CanonicalComposition.IsComposed(text)) text = CanonicalComposition.Compose(text);
        if (!_mergers.TryTake(out var merger)) merger = new BpeMerger(_merges);
        while (!text.IsEmpty)
        {
            var length = _preTokenizer.NextWord(text);
            EncodeWord(text[..length], merger, output);
            text = text[length..];
        }
        _mergers.Add(merger);
    }

    private void EncodeWord(ReadOnlySpan<char> word, BpeMerger merger, List<int> output)
    {
        const int onStack = 256;
        var most = Encoding.UTF8.GetMaxByteCount(word.Length);
        var rented = most > onStack ? ArrayPool<byte>.Shared.Rent(most) : null;
        var buffer = rented ?? stackalloc byte[onStack];
        EncodeBytes(buffer[..Encoding.UTF8.GetBytes(word, buffer)], merger, output);
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
    }

    private void EncodeBytes(ReadOnlySpan<byte> word, BpeMerger merger, List<int> output)
    {
        if (_cache.TryAppend(word, output)) return;
        var start = output.Count;
        var whole = _wholeWordsFirst ? _index.Find(word) : -1;
        if (whole >= 0) output.Add(whole);
        else MergeBytes(word, merger, output);
        _cache.Remember(word, CollectionsMarshal.AsSpan(output)[start..]);
    }

    private void MergeBytes(ReadOnlySpan<byte> word, BpeMerger merger, List<int> output)
    {
        const int onStack = 256;
        var rented = word.Length > onStack ? ArrayPool<int>.Shared.Rent(word.Length) : null;
        var symbols = (rented ?? stackalloc int[onStack])[..word.Length];
        for (var i = 0; i < word.Length; i++) symbols[i] = _byteTokens[word[i]];
        merger.Merge(symbols, output);
        if (rented is not null) ArrayPool<int>.Shared.Return(rented);
    }
}
