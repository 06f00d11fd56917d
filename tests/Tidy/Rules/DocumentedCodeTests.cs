namespace LServe.Tests.Tidy;

/// <summary>C# in the documents stands word for word in a test file, where the compiler reads it.</summary>
public class DocumentedCodeTests
{
    [Fact]
    public void EveryCSharpBlockIsCompiledSomewhere()
    {
        var compiled = Tree.Files.Where(file => file.Kind == ".cs" && file.IsUnder("tests") && file.Name.Contains("DocsExample")).ToList();
        Tree.AssertNone(Tree.Files.Where(file => file.Kind == ".md").SelectMany(file => Violations(file, compiled)), "C# in no tests/**/*DocsExample*.cs file:");
    }

    [Fact]
    public void CodeOfNoFileIsSeen() => Assert.Equal(["README.md:2: var x = 1;"], Violations(new("README.md", "```csharp\nvar x = 1;\n```"), []));

    [Fact]
    public void IndentationDoesNotMatter() =>
        Assert.Empty(Violations(new("README.md", "```csharp\nif (a)\n    b();\n```"), [new("tests/DocsExamples.cs", "x();\n        if (a)\n            b();\ny();")]));

    private static IEnumerable<string> Violations(SourceFile file, IReadOnlyList<SourceFile> compiled)
    {
        foreach (var block in Markdown.Blocks(file).Where(block => block.Language == "csharp"))
            if (!compiled.Any(source => Flat(source.Text).Contains(Flat(block.Text))))
                yield return file.At(block.LineIndex, block.Text.Split('\n')[0]);
    }

    private static string Flat(string code) => "\n" + string.Join('\n', code.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0)) + "\n";
}
