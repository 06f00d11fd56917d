using System.Buffers;
using System.Text;

namespace LServe.Model;

/// <summary>What all tokenizers share: special tokens are cut out, and only what lies between them is text.</summary>
internal abstract class TokenizerBase(Vocabulary vocabulary, int? beginToken, IReadOnlyList<int> endTokens) : ITokenizer
{
    protected Vocabulary Vocabulary { get; } = vocabulary;
    public SpecialTokens Specials { get; } = new(vocabulary);
    public int VocabularySize => Vocabulary.Count;
    public int? BeginToken => beginToken;
    public IReadOnlyList<int> EndTokens => endTokens;

    public void Encode(ReadOnlySpan<char> text, bool parseSpecial, List<int> output)
    {
        var before = output.Count;
        while (parseSpecial && Specials.TryFind(text, out var start, out var length, out var token))
        {
            EncodeRun(text[..start], output.Count == before, output);
            output.Add(token);
            text = text[(start + length)..];
        }
        EncodeRun(text, output.Count == before, output);
    }

    public void Encode(IReadOnlyList<TemplateSegment> segments, List<int> output)
    {
        var (run, before) = (new StringBuilder(), output.Count);
        foreach (var segment in segments)
        {
            var rest = segment.Text.AsSpan();
            while (segment.IsMarkup && Specials.TryFind(rest, out var start, out var length, out var token))
            {
                EncodeRun(run.Append(rest[..start]).ToString(), output.Count == before, output);
                run.Clear();
                output.Add(token);
                rest = rest[(start + length)..];
            }
            run.Append(rest);
        }
        EncodeRun(run.ToString(), output.Count == before, output);
    }

    public void EncodeContinuation(ReadOnlySpan<char> text, List<int> output)
    {
        if (!text.IsEmpty) EncodeText(text, TextPlace.Continuation, output);
    }

    public virtual bool DropsFirstSpace => false;

    public ReadOnlySpan<byte> BytesOf(int token) => Vocabulary[token];

    public bool IsSpecial(int token) => Vocabulary.KindOf(token) is TokenKind.Control or TokenKind.Unknown;

    public string Decode(ReadOnlySpan<int> tokens, bool withSpecial = false)
    {
        var bytes = new ArrayBufferWriter<byte>(Math.Max(1, 4 * tokens.Length));
        foreach (var token in tokens)
            if (withSpecial || !IsSpecial(token))
                bytes.Write(Vocabulary[token]);
        var dropped = DropsFirstSpace && bytes.WrittenSpan.StartsWith(" "u8) ? 1 : 0;
        return Encoding.UTF8.GetString(bytes.WrittenSpan[dropped..]);
    }

    /// <summary>Appends the tokens of text without special tokens; never called with an empty one.</summary>
    protected abstract void EncodeText(ReadOnlySpan<char> text, TextPlace place, List<int> output);

    private void EncodeRun(ReadOnlySpan<char> text, bool isFirst, List<int> output)
    {
        if (!text.IsEmpty) EncodeText(text, isFirst ? TextPlace.First : TextPlace.AfterSpecial, output);
    }
}
