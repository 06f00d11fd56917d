namespace LServe.Tests.Support;

/// <summary>Where things lie in the working tree that the tests were built from.</summary>
public static class RepositoryFiles
{
    /// <summary>The folder of <c>LServe.Orleans.sln</c>.</summary>
    public static string Root { get; } = FindRoot();

    public static string BundledModel => Path.Combine(Root, "models", "SmolLM2-135M-Instruct.Q4_1.gguf");

    /// <summary>A file or folder under <c>tests/Unit/Reference</c>.</summary>
    public static string Reference(params string[] parts) => Path.Combine([Root, "tests", "Unit", "Reference", .. parts]);

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "LServe.Orleans.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests don't run inside the repository.");
    }
}
