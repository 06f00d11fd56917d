using System.Buffers;
using System.Collections.Concurrent;
using System.Text;

namespace LServe.Model;

/// <summary>
/// SentencePiece's BPE: no words, the characters of a whole text merge; a character without a piece becomes its bytes. Pieces are kept with
/// a space where their file has U+2581.
/// </summary>
/// <remarks>Kudo and Richardson, arXiv 1808.06226.</remarks>
internal sealed class SentencePieceBpe : TokenizerBase
{
    public const char SpaceMark = '▁';

    private readonly PieceIndex _index;
    private readonly MergeTable _merges;
    private readonly SpacePrefix _prefix;
    private readonly int _unknown;
    private readonly int[] _byteTokens;
    private readonly ConcurrentBag<BpeMerger> _mergers = [];

    public SentencePieceBpe(
        Vocabulary vocabulary, PieceIndex index, MergeTable merges, SpacePrefix prefix, int? beginToken, IReadOnlyList<int> endTokens)
        : base(vocabulary, beginToken, endTokens)
    {
        (_index, _merges, _prefix) = (index, merges, prefix);
        (_byteTokens, _unknown) = ByteTokens(vocabulary);
    }

    public override bool DropsFirstSpace => _prefix != SpacePrefix.None;

    protected override void EncodeText(ReadOnlySpan<char> text, TextPlace place, List<int> output)
    {
        var most = Encoding.UTF8.GetMaxByteCount(text.Length) + 1;
        var symbols = ArrayPool<int>.Shared.Rent(most);
        if (!_mergers.TryTake(out var merger)) merger = new BpeMerger(_merges);
        merger.Merge(symbols.AsSpan(0, Symbols(text, place, symbols)), output);
        _mergers.Add(merger);
        ArrayPool<int>.Shared.Return(symbols);
    }

    private int Symbols(ReadOnlySpan<char> text, TextPlace place, Span<int> symbols)
    {
        var count = 0;
        if (TakesSpace(place)) count += Symbol(new Rune(' '), symbols);
        foreach (var rune in text.EnumerateRunes())
            count += Symbol(rune.Value == SpaceMark ? new Rune(' ') : rune, symbols[count..]);
        return count;
    }

    private bool TakesSpace(TextPlace place) => _prefix switch
    {
        SpacePrefix.EveryText => place != TextPlace.Continuation,
        SpacePrefix.FirstText => place == TextPlace.First,
        _ => false,
    };

    private int Symbol(Rune rune, Span<int> symbols)
    {
        Span<byte> bytes = stackalloc byte[4];
        bytes = bytes[..rune.EncodeToUtf8(bytes)];
        symbols[0] = _index.Find(bytes);
        if (symbols[0] >= 0) return 1;
        for (var i = 0; i < bytes.Length; i++) symbols[i] = _byteTokens[bytes[i]];
        if (!symbols[..bytes.Length].Contains(-1)) return bytes.Length;
        symbols[0] = _unknown;
        return 1;
    }

    private static (int[] ByByte, int Unknown) ByteTokens(Vocabulary vocabulary)
    {
        var (tokens, unknown) = (new int[256], -1);
        Array.Fill(tokens, -1);
        for (var token = vocabulary.Count - 1; token >= 0; token--)
            if (vocabulary.KindOf(token) == TokenKind.Byte) tokens[vocabulary[token][0]] = token;
            else if (vocabulary.KindOf(token) == TokenKind.Unknown) unknown = token;
        return (tokens, unknown);
    }
}
