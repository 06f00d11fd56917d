namespace LServe.Tests.Tidy;

/// <summary>Blanks comments and literals of C# (and of languages that look like it), so that rules see code alone.</summary>
public static class Scrubber
{
    public static string Blank(string text, bool comments, bool strings)
    {
        var result = text.ToCharArray();
        for (var i = 0; i < text.Length;)
        {
            var end = EndOfToken(text, i, out var kind);
            if ((kind == TokenKind.Comment && comments) || (kind == TokenKind.Literal && strings))
                for (var j = i; j < end; j++)
                    if (result[j] is not ('\n' or '\r')) result[j] = ' ';
            i = end;
        }
        return new string(result);
    }

    private enum TokenKind { Code, Comment, Literal }

    private static int EndOfToken(string text, int at, out TokenKind kind)
    {
        kind = TokenKind.Comment;
        if (Has(text, at, "//")) return IndexOf(text, "\n", at);
        if (Has(text, at, "/*")) return IndexOf(text, "*/", at + 2) is var end && end < text.Length ? end + 2 : end;
        kind = TokenKind.Literal;
        if (text[at] == '"') return EndOfString(text, at);
        if (text[at] == '\'') return EndOfCharacter(text, at, ref kind);
        kind = TokenKind.Code;
        return at + 1;
    }

    private static int EndOfCharacter(string text, int at, ref TokenKind kind)
    {
        var end = at + 1 < text.Length && text[at + 1] == '\\' ? text.IndexOf('\'', Math.Min(at + 3, text.Length)) : at + 2;
        if (end >= 0 && end < text.Length && text[end] == '\'' && end - at < 12) return end + 1;
        kind = TokenKind.Code;
        return at + 1;
    }

    private static int EndOfString(string text, int at)
    {
        var quotes = at;
        while (quotes < text.Length && text[quotes] == '"') quotes++;
        if (quotes - at >= 3) return IndexOf(text, new string('"', quotes - at), quotes) is var end && end < text.Length ? end + quotes - at : end;
        var (verbatim, interpolated) = Prefix(text, at);
        var depth = 0;
        for (var i = at + 1; i < text.Length; i++)
        {
            var c = text[i];
            if (depth > 0) { i = SkipInHole(text, i, ref depth); continue; }
            if (c == '\\' && !verbatim) i++;
            else if (c == '"' && verbatim && Has(text, i, "\"\"")) i++;
            else if (interpolated && (Has(text, i, "{{") || Has(text, i, "}}"))) i++;
            else if (interpolated && c == '{') depth++;
            else if (c == '"' || (c == '\n' && !verbatim)) return i + 1;
        }
        return text.Length;
    }

    private static int SkipInHole(string text, int at, ref int depth)
    {
        if (text[at] == '{') depth++;
        else if (text[at] == '}') depth--;
        else if (text[at] == '"') return EndOfString(text, at) - 1;
        return at;
    }

    private static (bool Verbatim, bool Interpolated) Prefix(string text, int quote)
    {
        var start = quote;
        while (start > 0 && text[start - 1] is '@' or '$') start--;
        var prefix = text.AsSpan(start, quote - start);
        return (prefix.Contains('@'), prefix.Contains('$'));
    }

    private static bool Has(string text, int at, string what) => string.CompareOrdinal(text, at, what, 0, what.Length) == 0;

    private static int IndexOf(string text, string what, int from) =>
        text.IndexOf(what, Math.Min(from, text.Length), StringComparison.Ordinal) is var found and >= 0 ? found : text.Length;
}
