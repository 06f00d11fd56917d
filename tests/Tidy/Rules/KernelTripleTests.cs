namespace LServe.Tests.Tidy;

/// <summary>A kernel is a <c>.cu</c> file, a launcher and a test that share a base name, and a row of kernels/README.md.</summary>
public class KernelTripleTests
{
    [Fact]
    public void EveryKernelIsComplete() => Tree.AssertNone(Violations(Tree.Files), "Incomplete kernels:");

    [Fact]
    public void AKernelAloneIsSeen() =>
        Assert.Equal(
            ["kernels/kv/copy_page.cu has no launcher src/Cuda/Launch/CopyPage*.cs", "kernels/kv/copy_page.cu has no test tests/Kernels/**/CopyPage*Tests.cs",
             "kernels/kv/copy_page.cu has no row in kernels/README.md"],
            Violations([new("kernels/kv/copy_page.cu", "")]));

    [Fact]
    public void ACompleteKernelIsLetPass() =>
        Assert.Empty(Violations([
            new("kernels/kv/copy_page.cu", ""), new("src/Cuda/Launch/CopyPage.cs", ""), new("tests/Kernels/CopyPageTests.cs", ""),
            new("kernels/README.md", "| `kv/copy_page.cu` |"),
        ]));

    private static IEnumerable<string> Violations(IReadOnlyList<SourceFile> files)
    {
        foreach (var kernel in files.Where(file => file.Kind == ".cu" && file.IsUnder("kernels")))
        {
            var name = string.Concat(kernel.Name.Split('_').Select(part => char.ToUpperInvariant(part[0]) + part[1..]));
            if (!files.Any(file => file.IsUnder("src/Cuda/Launch") && Matches(file.Name, name)))
                yield return $"{kernel.Path} has no launcher src/Cuda/Launch/{name}*.cs";
            if (!files.Any(file => file.IsUnder("tests/Kernels") && file.Name.EndsWith("Tests") && Matches(file.Name, name)))
                yield return $"{kernel.Path} has no test tests/Kernels/**/{name}*Tests.cs";
            if (!files.Any(file => file.Path == "kernels/README.md" && file.Text.Contains(kernel.Name + ".cu")))
                yield return $"{kernel.Path} has no row in kernels/README.md";
        }
    }

    private static bool Matches(string file, string kernel) => file.StartsWith(kernel, StringComparison.OrdinalIgnoreCase);
}
