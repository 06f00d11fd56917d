using System.Text;

namespace LServe.Model;

/// <summary>Turns tokens into text one by one and never gives out half a character. Special tokens give no text.</summary>
/// <param name="continues">
/// True if the text goes on one that stands before it, so that its first space counts; false gives what
/// <see cref="ITokenizer.Decode"/> gives.
/// </param>
public sealed class StreamingDecoder(ITokenizer tokenizer, bool continues = false)
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private bool _dropsSpace = tokenizer.DropsFirstSpace && !continues;

    /// <summary>Whether a character has begun whose last bytes are still to come.</summary>
    public bool IsOpen => _decoder.GetCharCount([], flush: true) > 0;

    /// <summary>The characters that <paramref name="token"/> completes; empty while a character is still open.</summary>
    public string Append(int token)
    {
        if (tokenizer.IsSpecial(token)) return "";
        var bytes = tokenizer.BytesOf(token);
        if (_dropsSpace && !bytes.IsEmpty)
        {
            _dropsSpace = false;
            if (bytes[0] == ' ') bytes = bytes[1..];
        }
        return Convert(bytes, flush: false);
    }

    /// <summary>What is left open at the end, as U+FFFD where it is no character.</summary>
    public string Flush() => Convert([], flush: true);

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        const int onStack = 256;
        var most = Encoding.UTF8.GetMaxCharCount(bytes.Length);
        var chars = most <= onStack ? stackalloc char[onStack] : new char[most];
        var written = _decoder.GetChars(bytes, chars, flush);
        return written == 0 ? "" : new string(chars[..written]);
    }
}
