namespace LServe.Model;

/// <summary>Turns tokens into text one by one and never gives out half a character. Special tokens give no text.</summary>
public sealed class StreamingDecoder(ITokenizer tokenizer)
{
    private readonly ITokenizer _tokenizer = tokenizer;

    /// <summary>The characters that <paramref name="token"/> completes; empty while a character is still open.</summary>
    public string Append(int token) => throw new NotImplementedException(_tokenizer.ToString());

    /// <summary>What is left open at the end, as U+FFFD where it is no character.</summary>
    public string Flush() => throw new NotImplementedException();
}
