namespace LServe.Model;

/// <summary>
/// GPT-2's words: <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>. SmolLM first sets every digit apart,
/// so that spaces before a number are at the end of their text.
/// </summary>
/// <remarks>Radford et al., GPT-2, encoder.py.</remarks>
internal sealed class Gpt2PreTokenizer(bool digitsApart) : IPreTokenizer
{
    public int NextWord(ReadOnlySpan<char> text)
    {
        var contraction = Contraction(text);
        if (contraction > 0) return contraction;
        var first = CharClasses.First(text, out var length);
        if (digitsApart && first == CharClass.Number) return length;
        if (!CharClasses.IsSpace(first)) return CharClasses.Run(text, first);
        if (text[0] == ' ' && text.Length > 1)
        {
            var second = CharClasses.First(text[1..], out _);
            var joins = !CharClasses.IsSpace(second) && !(digitsApart && second == CharClass.Number);
            if (joins) return 1 + CharClasses.Run(text[1..], second);
        }
        return Spaces(text);
    }

    /// <summary>All spaces up to the text's end, else all but the last, which belongs to what follows; at least one.</summary>
    private int Spaces(ReadOnlySpan<char> text)
    {
        var end = 0;
        while (end < text.Length && CharClasses.IsSpace(CharClasses.First(text[end..], out _))) end++;
        var isAtEnd = end == text.Length || digitsApart && CharClasses.First(text[end..], out _) == CharClass.Number;
        return isAtEnd || end == 1 ? end : end - 1;
    }

    private static int Contraction(ReadOnlySpan<char> text)
    {
        if (text[0] != '\'' || text.Length < 2) return 0;
        if (text[1] is 's' or 't' or 'm' or 'd') return 2;
        return text.Length > 2 && text[1..3] is "re" or "ve" or "ll" ? 3 : 0;
    }
}
