using System.Text.RegularExpressions;

namespace LServe.Tests.Tidy;

/// <summary>Comments are prose. Code that isn't used is in the history, not behind slashes.</summary>
public class CommentedOutCodeTests
{
    private static readonly Regex CommentLine = new(@"^\s*//(?!/)\s?(?<text>.*)$");
    private static readonly Regex LooksLikeCode = new(
        @"[=(].*;\s*$|[{}]\s*$" +                               // ends like a statement or a block
        @"|^\s*(if|for|foreach|while|switch|lock)\s*\(" +
        @"|^\s*(var|await|return|throw|using|public|private|internal|static|const|int|float|void)\s+\S+.*[=(;]\s*\S*$");

    [Fact]
    public void NoCodeIsCommentedOut() =>
        Tree.AssertNone(Tree.Files.Where(file => file.Kind is ".cs" or ".cu" or ".cuh" or ".js" or ".mjs").SelectMany(Violations), "Commented-out code:");

    [Theory]
    [InlineData("// var x = 1;")]
    [InlineData("    //return f(x);")]
    [InlineData("// if (x > 1)")]
    [InlineData("// }")]
    public void CodeInAComment(string line) => Assert.NotEmpty(Violations(new("src/A.cs", line)));

    [Theory]
    [InlineData("// If two writers meet, one is told.")]
    [InlineData("/// <code>var x = 1;</code>")]
    [InlineData("var x = 1; // for the tail")]
    [InlineData("// x: [R, C]")]
    [InlineData("// Statistics are binary16;")]
    public void ProseIsLeftAlone(string line) => Assert.Empty(Violations(new("src/A.cs", line)));

    private static IEnumerable<string> Violations(SourceFile file)
    {
        var lines = file.Lines;
        for (var i = 0; i < lines.Length; i++)
            if (CommentLine.Match(lines[i]) is { Success: true } comment && LooksLikeCode.IsMatch(comment.Groups["text"].Value))
                yield return file.At(i, lines[i].Trim());
    }
}
