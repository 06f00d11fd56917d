using System.Text.RegularExpressions;

namespace LServe.Tests.Tidy;

/// <summary>A fenced block of a Markdown file.</summary>
/// <param name="Language">What stands after the opening fence.</param>
/// <param name="LineIndex">Of the first line of <paramref name="Text"/>, from 0.</param>
public sealed record CodeBlock(string Language, string Text, int LineIndex);

public static class Markdown
{
    private static readonly Regex Link = new(@"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\((?<target>[^()\s]+(?:\([^()]*\))?)(?:\s+""[^""]*"")?\)");
    private static readonly Regex CodeSpan = new(@"`(?<code>[^`\n]+)`");
    private static readonly Regex NotInSlugs = new(@"[^\w\- ]");

    public static IEnumerable<CodeBlock> Blocks(SourceFile file)
    {
        var lines = file.Lines;
        for (var i = 0; i < lines.Length; i++)
        {
            if (!IsFence(lines[i])) continue;
            var start = i + 1;
            for (i++; i < lines.Length && !IsFence(lines[i]);) i++;
            yield return new(lines[start - 1].Trim().TrimStart('`'), string.Join('\n', lines[start..Math.Min(i, lines.Length)]), start);
        }
    }

    /// <summary>The file's lines with the contents of fenced blocks emptied.</summary>
    public static string[] Prose(SourceFile file)
    {
        var lines = file.Lines;
        foreach (var block in Blocks(file))
            for (var i = 0; i < block.Text.Split('\n').Length && block.LineIndex + i < lines.Length; i++)
                lines[block.LineIndex + i] = "";
        return lines;
    }

    public static IEnumerable<string> Links(string line) => Link.Matches(CodeSpan.Replace(line, "")).Select(match => match.Groups["target"].Value);

    public static IEnumerable<string> CodeSpans(string line) => CodeSpan.Matches(line).Select(match => match.Groups["code"].Value);

    /// <summary>The anchors a Markdown viewer gives the file's headings.</summary>
    public static IEnumerable<string> Anchors(SourceFile file) =>
        Prose(file).Where(line => line.StartsWith('#')).Select(line => NotInSlugs.Replace(line.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    private static bool IsFence(string line) => line.TrimStart().StartsWith("```", StringComparison.Ordinal);
}
