using LServe.Model;

namespace LServe.Silo;

/// <summary>Finds and opens the model to serve.</summary>
internal static class ModelLocator
{
    private const string BundledModel = "models/SmolLM2-135M-Instruct.Q4_1.gguf";

    /// <exception cref="StartException">There is no such file, or it can't be used.</exception>
    public static ModelFile Open(string? path)
    {
        var file = path ?? FindBundled() ?? throw new StartException(
            $"the bundled model {BundledModel} lies in no folder above {AppContext.BaseDirectory}; name one with --model PATH.");
        if (!File.Exists(file) && !Directory.Exists(file))
            throw new StartException($"there is no file {file}; name a GGUF file or a Hugging Face folder with --model PATH.");
        try
        {
            return ModelFile.Open(file);
        }
        catch (ModelFileException problem)
        {
            throw new StartException($"the model can't be used: {problem.Message}", problem);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"the model {file} can't be read: {problem.Message}", problem);
        }
    }

    private static string? FindBundled()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, BundledModel)))
                return Path.Combine(folder.FullName, BundledModel);
        return null;
    }
}
