namespace LServe.Tests.Tidy;

/// <summary>The repository's own text files, found from where the tests were built.</summary>
public static class Tree
{
    private static readonly string[] NotOurs = [".git", ".lserve", "artifacts", "bin", "obj", "node_modules", "TestResults", ".vs", ".idea"];
    private static readonly string[] TextKinds =
        [".cs", ".csproj", ".props", ".targets", ".sln", ".cu", ".cuh", ".h", ".md", ".json", ".yml", ".yaml", ".html", ".css", ".js", ".mjs", ".sh", ".py", ".txt", ".svg"];
    private static readonly string[] TextNames = ["lserve", "run", "Dockerfile", ".dockerignore", ".gitignore", ".editorconfig", ".npmrc", "get-nvrtc"];

    public static string Root { get; } = FindRoot();

    public static IReadOnlyList<SourceFile> Files { get; } = [.. Walk(new DirectoryInfo(Root)).OrderBy(file => file.Path, StringComparer.Ordinal)];

    public static IEnumerable<SourceFile> Under(string folder, params string[] kinds) =>
        Files.Where(file => file.Path.StartsWith(folder + "/", StringComparison.Ordinal) && (kinds.Length == 0 || kinds.Contains(file.Kind)));

    public static SourceFile Find(string path) =>
        Files.FirstOrDefault(file => file.Path == path) ?? throw new FileNotFoundException($"The repository has no {path}.");

    public static bool Exists(string path) => File.Exists(Path.Combine(Root, path)) || Directory.Exists(Path.Combine(Root, path));

    /// <summary>Fails with every violation on a line of its own.</summary>
    public static void AssertNone(IEnumerable<string> violations, string rule)
    {
        var found = violations.ToList();
        Assert.True(found.Count == 0, $"{rule}\n  {string.Join("\n  ", found)}");
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "LServe.Orleans.sln"))) return folder.FullName;
        throw new DirectoryNotFoundException("No folder above the test assembly holds LServe.Orleans.sln.");
    }

    private static IEnumerable<SourceFile> Walk(DirectoryInfo folder)
    {
        foreach (var file in folder.EnumerateFiles())
            if (TextKinds.Contains(file.Extension) || TextNames.Contains(file.Name))
                yield return new SourceFile(Path.GetRelativePath(Root, file.FullName).Replace('\\', '/'), File.ReadAllText(file.FullName));
        foreach (var child in folder.EnumerateDirectories().Where(child => !NotOurs.Contains(child.Name)))
            foreach (var file in Walk(child))
                yield return file;
    }
}
