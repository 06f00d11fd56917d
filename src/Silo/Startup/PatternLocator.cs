using LServe.Model;

namespace LServe.Silo;

/// <summary>Finds the head pattern of the served model.</summary>
internal static class PatternLocator
{
    private const string Patterns = "assets/head-patterns";
    private const string None = "none";

    /// <summary>The pattern that <paramref name="folder"/> names; null: the bundled one of a model of that name, else none, with a warning.</summary>
    /// <exception cref="StartException">The pattern can't be used, or is another model's.</exception>
    public static HeadPattern? Open(string? folder, ModelConfig model)
    {
        if (folder == None) return null;
        var found = folder ?? FindBundled(model);
        if (found is null)
        {
            Console.Error.WriteLine($"lserve serve: there is no head pattern for {model.Name}, so no head streams; make one with ./lserve calibrate and name it with --pattern.");
            return null;
        }
        try
        {
            return HeadPatternFolder.Open(found, model);
        }
        catch (ModelFileException problem)
        {
            throw new StartException($"the head pattern can't be used: {problem.Message}", problem);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"the head pattern {found} can't be read: {problem.Message}", problem);
        }
    }

    /// <summary>Bundled patterns lie under the model's name, without what tells its quantisation.</summary>
    private static string? FindBundled(ModelConfig model)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var patterns = Path.Combine(folder.FullName, Patterns);
            if (!Directory.Exists(patterns)) continue;
            return Directory.GetDirectories(patterns).FirstOrDefault(p => IsFor(Path.GetFileName(p), model.Name));
        }
        return null;
    }

    private static bool IsFor(string pattern, string model) =>
        model.Equals(pattern, StringComparison.OrdinalIgnoreCase) || model.StartsWith(pattern + ".", StringComparison.OrdinalIgnoreCase);
}
