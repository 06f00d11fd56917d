using System.Text.RegularExpressions;

namespace LServe.Tests.Tidy;

/// <summary>
/// A kernel is a <c>.cu</c> file, a launcher, a test and a row of kernels/README.md. The launcher is named like the file, with its
/// folder before it where the name alone wouldn't say enough; the test is the one of tests/Kernels that has its name, or any that uses it.
/// </summary>
public class KernelTripleTests
{
    [Fact]
    public void EveryKernelIsComplete() => Tree.AssertNone(Violations(Tree.Files), "Incomplete kernels:");

    [Fact]
    public void AKernelAloneIsSeen() =>
        Assert.Equal(
            ["kernels/kv/copy_page.cu has no launcher src/Cuda/Launch/CopyPage.cs or KvCopyPage.cs", "kernels/kv/copy_page.cu has no test in tests/Kernels",
             "kernels/kv/copy_page.cu has no row in kernels/README.md"],
            Violations([new("kernels/kv/copy_page.cu", "")]));

    [Theory]
    [InlineData("CopyPage")]
    [InlineData("KvCopyPage")]
    public void ACompleteKernelIsLetPass(string launcher) =>
        Assert.Empty(Violations([
            new("kernels/kv/copy_page.cu", ""), new($"src/Cuda/Launch/{launcher}.cs", ""), new("tests/Kernels/KvTests.cs", $"new {launcher}(context)"),
            new("kernels/README.md", "| `kv/copy_page.cu` |"),
        ]));

    private static IEnumerable<string> Violations(IReadOnlyList<SourceFile> files)
    {
        foreach (var kernel in files.Where(file => file.Kind == ".cu" && file.IsUnder("kernels")))
        {
            var folder = kernel.Path.Split('/')[^2];
            string[] names = [Pascal(kernel.Name), Pascal(folder) + Pascal(kernel.Name)];
            if (!names.Any(name => files.Any(file => file.Path == $"src/Cuda/Launch/{name}.cs")))
                yield return $"{kernel.Path} has no launcher src/Cuda/Launch/{names[0]}.cs or {names[1]}.cs";
            var use = new Regex($@"\b({string.Join('|', names)})\b");
            if (!files.Any(file => file.IsUnder("tests/Kernels") && file.Name.EndsWith("Tests") && (names.Contains(file.Name[..^5]) || use.IsMatch(file.Code))))
                yield return $"{kernel.Path} has no test in tests/Kernels";
            if (!files.Any(file => file.Path == "kernels/README.md" && file.Text.Contains($"{folder}/{kernel.Name}.cu")))
                yield return $"{kernel.Path} has no row in kernels/README.md";
        }
    }

    private static string Pascal(string name) => string.Concat(name.Split('_').Select(part => char.ToUpperInvariant(part[0]) + part[1..]));
}
