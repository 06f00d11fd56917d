namespace LServe.Cli;

/// <summary>The model that comes with the project.</summary>
internal static class BundledModel
{
    public const string FileName = "SmolLM2-135M-Instruct.Q4_1.gguf";

    /// <summary>The folder <c>models</c> above the program, or null when the program stands alone.</summary>
    public static string? Folder
    {
        get
        {
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
                if (File.Exists(Path.Combine(folder.FullName, "models", FileName)))
                    return Path.Combine(folder.FullName, "models");
            return null;
        }
    }

    /// <summary>The file a command works on.</summary>
    public static string Resolve(string? model) =>
        model ?? (Folder is { } folder
            ? Path.Combine(folder, FileName)
            : throw new UsageException($"models/{FileName} is not where it belongs; name a GGUF file with --model PATH."));
}
