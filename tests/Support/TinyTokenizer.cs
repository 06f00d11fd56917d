namespace LServe.Tests.Support;

/// <summary>The vocabulary of <see cref="TinyModel"/>: three special tokens, 256 bytes, a few merges of English.</summary>
public static class TinyTokenizer
{
    public const int EndOfText = 0, MessageStart = 1, MessageEnd = 2, FirstByte = 3;

    /// <summary>ChatML with a default system message.</summary>
    public const string ChatTemplate =
        "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are tiny.<|im_end|>\n' }}" +
        "{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}" +
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    /// <summary>Pairs as GPT-2's files write them, a space as U+0120.</summary>
    public static IReadOnlyList<string> Merges { get; } =
    [
        "Ġ t", "h e", "i n", "Ġt he", "Ġ a", "e r", "o n", "r e", "Ġ s", "a t", "Ġ w", "o u", "n d", "i s", "in g",
        "l l", "Ġ h", "ll o", "he llo", "o r", "Ġ y", "Ġy ou", "e n", "i t", "Ġw or", "l d", "Ġwor ld", "Ġ i", "Ġi s",
    ];

    public static IReadOnlyList<string> Pieces { get; } = BuildPieces();

    /// <summary>GGUF's token types: special tokens are control tokens.</summary>
    public static IReadOnlyList<int> Types { get; } = [.. Pieces.Select((_, token) => token < FirstByte ? 3 : 1)];

    /// <summary>Whether the token's text is printable ASCII.</summary>
    public static bool IsPrintable(int token) => token >= FirstByte && Pieces[token].All(c => c is > ' ' and < '\u007F' or 'Ġ');

    private static string[] BuildPieces()
    {
        List<string> pieces = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
        var next = 256;
        for (var b = 0; b < 256; b++)
        {
            var isVisible = b is >= 0x21 and <= 0x7E or >= 0xA1 and <= 0xAC or >= 0xAE;
            pieces.Add(char.ToString((char)(isVisible ? b : next++)));
        }
        pieces.AddRange(Merges.Select(m => m.Replace(" ", "")));
        return [.. pieces];
    }
}
