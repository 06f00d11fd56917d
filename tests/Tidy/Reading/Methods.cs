using System.Text.RegularExpressions;

namespace LServe.Tests.Tidy;

/// <summary>A method, constructor or operator of a C# file.</summary>
/// <param name="Line">First line, from 1.</param>
/// <param name="Length">Lines from the signature to the closing brace or semicolon.</param>
public sealed record Method(string Name, int Line, int Length);

/// <summary>Finds methods by their braces; local functions count as part of the method around them.</summary>
public static class Methods
{
    private static readonly Regex TypeHeader = new(@"\b(class|struct|record|interface)\s+\w|\bextension\s*[(<]");
    private static readonly Regex MethodHeader = new(@"(?<name>[\w.~]+|operator\s*\S+)\s*(<[^<>()]*(<[^<>()]*>[^<>()]*)*>)?\s*\(");
    private static readonly Regex Attributes = new(@"^\s*(\[[^\]]*\]\s*)+");

    public static IEnumerable<Method> Of(SourceFile file)
    {
        var code = file.Code;
        var isType = new Stack<bool>([true]);
        var (headerStart, parentheses, memberLine) = (0, 0, -1);
        var memberName = "";
        for (var i = 0; i < code.Length; i++)
        {
            var inType = isType.Peek();
            switch (code[i])
            {
                case '(' or '[': parentheses++; break;
                case ')' or ']': parentheses--; break;
                case '{':
                    var header = inType ? code[headerStart..i] : "";
                    if (inType && memberLine < 0 && !IsType(header) && NameOf(header) is { } name)
                        (memberName, memberLine) = (name, LineOfHeader(code, headerStart));
                    isType.Push(inType && memberLine < 0 && IsType(header));
                    headerStart = i + 1;
                    break;
                case '}':
                    if (isType.Count > 1) isType.Pop();
                    if (isType.Peek() && parentheses == 0 && memberLine >= 0 && !ContinuesAfter(code, i))
                    {
                        yield return new(memberName, memberLine, LineAt(code, i) - memberLine + 1);
                        memberLine = -1;
                    }
                    if (isType.Peek() && memberLine < 0) headerStart = i + 1;
                    break;
                case ';' when inType && parentheses == 0:
                    var statement = code[headerStart..i];
                    if (memberLine < 0 && statement.Contains("=>") && NameOf(statement) is { } expression)
                        (memberName, memberLine) = (expression, LineOfHeader(code, headerStart));
                    if (memberLine >= 0) yield return new(memberName, memberLine, LineAt(code, i) - memberLine + 1);
                    memberLine = -1;
                    headerStart = i + 1;
                    break;
            }
        }
    }

    private static bool IsType(string header) => TypeHeader.IsMatch(header) || header.TrimStart().StartsWith("namespace ", StringComparison.Ordinal);

    private static string? NameOf(string header)
    {
        header = Attributes.Replace(header, "");
        if (MethodHeader.Match(header) is not { Success: true } match) return null;
        var before = header[..match.Index];
        return before.Contains('=') || header.TrimStart().StartsWith("namespace ") ? null : match.Groups["name"].Value;
    }

    /// <summary>An expression body may hold braces and go on after them: a switch expression, a <c>with</c>.</summary>
    private static bool ContinuesAfter(string code, int brace)
    {
        for (var i = brace + 1; i < code.Length; i++)
            if (!char.IsWhiteSpace(code[i])) return code[i] is ';' or '.' or ',' or ')' or '?' or '+' or ':';
        return false;
    }

    private static int LineOfHeader(string code, int start)
    {
        while (start < code.Length && char.IsWhiteSpace(code[start])) start++;
        return LineAt(code, start);
    }

    private static int LineAt(string code, int index) => code.AsSpan(0, Math.Min(index, code.Length)).Count('\n') + 1;
}
