namespace LServe.Model;

/// <summary>
/// The words of Llama 3 (numbers of up to three digits) and Qwen 2 (single digits):
/// <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>.
/// </summary>
internal sealed class Llama3PreTokenizer(int maxDigits) : IPreTokenizer
{
    private const char LongS = 'ſ'; // folds to s, so (?i:'s) matches it

    public int NextWord(ReadOnlySpan<char> text)
    {
        var contraction = Contraction(text);
        if (contraction > 0) return contraction;
        var first = CharClasses.First(text, out var length);
        if (first == CharClass.Letter) return CharClasses.Run(text, first);
        if (first == CharClass.Number) return Digits(text);
        if (first != CharClass.Newline)
        {
            var letters = CharClasses.Run(text[length..], CharClass.Letter);
            if (letters > 0) return length + letters;
        }
        var space = text[0] == ' ' ? 1 : 0;
        var symbols = CharClasses.Run(text[space..], CharClass.Other);
        if (symbols > 0) return space + symbols + CharClasses.Run(text[(space + symbols)..], CharClass.Newline);
        return Spaces(text);
    }

    private int Digits(ReadOnlySpan<char> text)
    {
        var end = 0;
        for (var i = 0; i < maxDigits && end < text.Length; i++)
        {
            if (CharClasses.First(text[end..], out var length) != CharClass.Number) break;
            end += length;
        }
        return end;
    }

    /// <summary>
    /// Spaces through the last line break among them; without one all up to the text's end, else all but the last; at least one.
    /// </summary>
    private static int Spaces(ReadOnlySpan<char> text)
    {
        int end = 0, afterNewline = 0;
        for (; end < text.Length; end++)
        {
            var c = CharClasses.First(text[end..], out _);
            if (!CharClasses.IsSpace(c)) break;
            if (c == CharClass.Newline) afterNewline = end + 1;
        }
        if (afterNewline > 0) return afterNewline;
        return end == text.Length || end == 1 ? end : end - 1;
    }

    private static int Contraction(ReadOnlySpan<char> text)
    {
        if (text[0] != '\'' || text.Length < 2) return 0;
        if (text[1] == LongS || char.ToLowerInvariant(text[1]) is 's' or 't' or 'm' or 'd') return 2;
        if (text.Length < 3) return 0;
        return (char.ToLowerInvariant(text[1]), char.ToLowerInvariant(text[2])) is ('r', 'e') or ('v', 'e') or ('l', 'l') ? 3 : 0;
    }
}
