using System.Globalization;
using System.Security.Cryptography;
using LServe.Model;

namespace LServe.Cli.Doctor;

/// <summary>Whether the model opens, and whether the bundled one is the file that was published.</summary>
internal static class ModelCheck
{
    public static IEnumerable<Finding> Look(string? model)
    {
        string path;
        Finding opened;
        try
        {
            path = BundledModel.Resolve(model);
            opened = Open(path);
        }
        catch (Exception problem) when (problem is ModelFileException or UsageException or IOException or UnauthorizedAccessException)
        {
            return [new(Health.Broken, "model", problem.Message)];
        }
        return model is null ? [opened, Checksum(path)] : [opened];
    }

    /// <summary>The bundled file against the checksum that stands beside it.</summary>
    internal static Finding Checksum(string path)
    {
        using var stream = File.OpenRead(path);
        var actual = Convert.ToHexStringLower(SHA256.HashData(stream));
        var notes = Path.Combine(Path.GetDirectoryName(path)!, "README.md");
        if (!File.Exists(notes)) return new(Health.Note, "checksum", $"models/README.md, which has the published checksum, is missing; the file's is {actual}");
        return File.ReadAllText(notes).Contains(actual, StringComparison.OrdinalIgnoreCase)
            ? new(Health.Good, "checksum", "the bundled file is the published one")
            : new(Health.Broken, "checksum", $"SHA-256 {actual} is not the one in models/README.md; restore the file with git checkout models");
    }

    private static Finding Open(string path)
    {
        using var file = ModelFile.Open(path);
        var (config, template) = (file.Config, file.Template?.Name);
        var text = string.Create(CultureInfo.InvariantCulture,
            $"{config.Name}: {config.Architecture}, {config.Layers} layers, {config.ContextLength:N0} tokens of context");
        return template is null
            ? new(Health.Note, "model", $"{text}; no chat, only raw completions: {file.TemplateProblem}")
            : new(Health.Good, "model", $"{text}, chat template {template}");
    }
}
