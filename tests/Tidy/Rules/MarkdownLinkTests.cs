namespace LServe.Tests.Tidy;

/// <summary>Links inside the repository lead somewhere.</summary>
public class MarkdownLinkTests
{
    [Fact]
    public void EveryLinkResolves() =>
        Tree.AssertNone(Tree.Files.Where(file => file.Kind == ".md").SelectMany(file => Violations(file, Tree.Exists)), "Links that lead nowhere:");

    [Fact]
    public void ABrokenLinkIsSeen() =>
        Assert.Equal(["docs/A.md:1: src/Gone.cs", "docs/A.md:2: #nowhere"], Violations(new("docs/A.md", "[x](../src/Gone.cs)\n[y](#nowhere)"), _ => false));

    [Fact]
    public void AGoodLinkIsLetPass() =>
        Assert.Empty(Violations(new("docs/A.md", "# One, two\n[x](../src/There.cs#L3) [y](#one-two) [z](https://example.org) `[a](b)`"), path => path == "src/There.cs"));

    private static IEnumerable<string> Violations(SourceFile file, Func<string, bool> exists)
    {
        var lines = Markdown.Prose(file);
        for (var i = 0; i < lines.Length; i++)
            foreach (var target in Markdown.Links(lines[i]).Where(target => !target.Contains("://") && !target.StartsWith("mailto:")))
                if (Problem(file, target, exists) is { } problem)
                    yield return file.At(i, problem);
    }

    private static string? Problem(SourceFile file, string target, Func<string, bool> exists)
    {
        var parts = target.Split('#', 2);
        if (parts[0].Length == 0) return Markdown.Anchors(file).Contains(parts[1]) ? null : target;
        var folder = Path.GetDirectoryName("/" + file.Path)!;
        var path = Path.GetFullPath(Path.Combine(folder, parts[0])).TrimStart('/');
        if (!exists(path)) return path;
        var named = parts.Length > 1 && path.EndsWith(".md") ? Tree.Files.FirstOrDefault(other => other.Path == path) : null;
        return named is null || Markdown.Anchors(named).Contains(parts[1]) ? null : target;
    }
}
