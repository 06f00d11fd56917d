namespace LServe.Eval;

/// <summary>The checkout this program was built in, and what lies there.</summary>
internal static class Repository
{
    public const string BundledModel = "SmolLM2-135M-Instruct.Q4_1.gguf";

    public static string Root { get; } = Find();

    public static string BundledPattern => Path.Combine(Root, "assets", "head-patterns", "SmolLM2-135M-Instruct");

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "LServe.Orleans.sln")))
                return folder.FullName;
        return Directory.GetCurrentDirectory();
    }
}
