using System.Text.RegularExpressions;

namespace LServe.Tests.Tidy;

/// <summary>What is in the tree is finished; what is wanted later stands elsewhere.</summary>
public class UnfinishedWorkTests
{
    private static readonly Regex Mark = new(@"\b(TO" + @"DO|FIX" + @"ME|HA" + @"CK|XX" + @"X)\b");
    private static readonly Regex Stub = new(@"\bNotImplemented" + @"Exception\b");

    [Fact]
    public void NothingIsMarkedAsUnfinished() =>
        Tree.AssertNone(Tree.Files.Where(file => file.Kind is not (".md" or ".json" or ".txt" or ".svg")).SelectMany(Violations), "Unfinished:");

    [Fact]
    public void AMarkIsSeen() => Assert.NotEmpty(Violations(new("src/A.cs", "// TO" + "DO: later")));

    [Fact]
    public void AStubIsSeen() => Assert.NotEmpty(Violations(new("src/A.cs", "throw new NotImplemented" + "Exception();")));

    private static IEnumerable<string> Violations(SourceFile file)
    {
        var lines = file.Lines;
        for (var i = 0; i < lines.Length; i++)
            foreach (var found in new[] { Mark.Match(lines[i]), file.IsUnder("src") ? Stub.Match(lines[i]) : Match.Empty }.Where(match => match.Success))
                yield return file.At(i, found.Value);
    }
}
