using System.Globalization;
using System.Text;

namespace LServe.Model;

/// <summary>The kinds of characters that pre-tokenizers tell apart: \p{L}, \p{N}, \s, and the rest.</summary>
internal enum CharClass : byte
{
    Other,
    Letter,
    Number,
    Space,

    /// <summary>\r and \n, which are \s as well.</summary>
    Newline,
}

internal static class CharClasses
{
    private static readonly CharClass[] Ascii = [.. Enumerable.Range(0, 128).Select(c => Classify(new Rune(c)))];

    /// <summary>The class of the character at the start of <paramref name="text"/>.</summary>
    /// <param name="length">1, or 2 for a surrogate pair. Half a pair is U+FFFD, no letter.</param>
    public static CharClass First(ReadOnlySpan<char> text, out int length)
    {
        length = 1;
        if (text[0] < 128) return Ascii[text[0]];
        Rune.DecodeFromUtf16(text, out var rune, out length);
        return Classify(rune);
    }

    /// <summary>Characters of the run at the start of <paramref name="text"/> whose class is <paramref name="wanted"/>.</summary>
    public static int Run(ReadOnlySpan<char> text, CharClass wanted)
    {
        var end = 0;
        while (end < text.Length && First(text[end..], out var length) == wanted) end += length;
        return end;
    }

    public static bool IsSpace(CharClass c) => c is CharClass.Space or CharClass.Newline;

    private static CharClass Classify(Rune rune)
    {
        if (rune.Value is '\r' or '\n') return CharClass.Newline;
        if (Rune.IsWhiteSpace(rune)) return CharClass.Space;
        return Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => CharClass.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => CharClass.Number,
            _ => CharClass.Other,
        };
    }
}
