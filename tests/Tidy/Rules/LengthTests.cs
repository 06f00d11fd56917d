namespace LServe.Tests.Tidy;

/// <summary>Methods and files that a reader can hold in mind.</summary>
public class LengthTests
{
    private const int MethodLimit = 70;
    private const int FileLimit = 300;
    private const int KernelFileLimit = 400;
    private const string MethodList = "tests/Tidy/long-methods.txt", FileList = "tests/Tidy/long-files.txt";

    [Fact]
    public void MethodsKeepToTheLimit()
    {
        var methods = Tree.Files.Where(file => file.Kind == ".cs" && !file.IsUnder("tests"))
            .SelectMany(file => Methods.Of(file).Select(method => ($"{file.Path} {method.Name}", method.Length)))
            .GroupBy(item => item.Item1).Select(group => (group.Key, group.Max(item => item.Length)));
        Tree.AssertNone(Ratchet.Violations(methods, MethodLimit, Ratchet.Read(MethodList)), "Long methods:");
    }

    [Fact]
    public void FilesKeepToTheLimit()
    {
        var files = Tree.Files.Where(file => file.Kind is ".cs" or ".cu" or ".cuh" or ".js" or ".css" or ".html" || file.Path == "lserve")
            .Where(file => file.Kind is not (".cu" or ".cuh") || file.Lines.Length > KernelFileLimit)
            .Select(file => (file.Path, file.Lines.Length));
        Tree.AssertNone(Ratchet.Violations(files, FileLimit, Ratchet.Read(FileList)), "Long files:");
    }

    [Fact]
    public void TheRatchetTurnsOneWay()
    {
        var known = new Dictionary<string, int> { ["grown"] = 80, ["shrunk"] = 80, ["gone"] = 80, ["same"] = 80 };
        var found = Ratchet.Violations([("grown", 81), ("shrunk", 79), ("same", 80), ("new", 71), ("small", 70)], 70, known).Order();
        Assert.Equal(
            ["gone is no longer above 70 lines: take it off the list", "grown grew from 80 to 81 lines; the limit is 70", "new has 71 lines; the limit is 70",
             "shrunk shrank from 80 to 79 lines: note it in the list"], found);
    }
}
