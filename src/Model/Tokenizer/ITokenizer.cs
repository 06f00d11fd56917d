namespace LServe.Model;

/// <summary>Text to token ids and back. Thread-safe.</summary>
public interface ITokenizer
{
    int VocabularySize { get; }

    /// <summary>The token to put before a raw completion prompt, if the model wants one.</summary>
    int? BeginToken { get; }

    /// <summary>Tokens that end an answer.</summary>
    IReadOnlyList<int> EndTokens { get; }

    /// <summary>
    /// Appends the ids of <paramref name="text"/>. With <paramref name="parseSpecial"/> the spellings of special tokens become those
    /// tokens; without it they are ordinary text, as text from users must be.
    /// </summary>
    void Encode(ReadOnlySpan<char> text, bool parseSpecial, List<int> output);

    /// <summary>
    /// Appends the ids of rendered segments: markup may produce special tokens, content never does; ordinary text of neighbouring
    /// segments is encoded as one piece, as if it had been one string.
    /// </summary>
    void Encode(IReadOnlyList<TemplateSegment> segments, List<int> output);

    /// <summary>
    /// Appends the ids of ordinary text that goes on what stands before it in a conversation: unlike <c>Encode</c>, without the space
    /// that SentencePiece puts before a text.
    /// </summary>
    void EncodeContinuation(ReadOnlySpan<char> text, List<int> output);

    /// <summary>The bytes a token stands for; a special token's are its spelling.</summary>
    ReadOnlySpan<byte> BytesOf(int token);

    /// <summary>Whether the token is a control token, which is no text of an answer.</summary>
    bool IsSpecial(int token);

    /// <summary>
    /// Whether a text's first token brings a space that is no part of it, as SentencePiece's do: <see cref="Decode"/> leaves it out.
    /// </summary>
    bool DropsFirstSpace => false;

    /// <summary>The text of <paramref name="tokens"/>; bytes that are no UTF-8 become U+FFFD.</summary>
    string Decode(ReadOnlySpan<int> tokens, bool withSpecial = false);
}

public static class TokenizerExtensions
{
    public static int[] Encode(this ITokenizer tokenizer, string text, bool parseSpecial = false)
    {
        var ids = new List<int>();
        tokenizer.Encode(text, parseSpecial, ids);
        return [.. ids];
    }
}
