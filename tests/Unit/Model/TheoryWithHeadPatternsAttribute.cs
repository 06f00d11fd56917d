using LServe.Tests.Support;

namespace LServe.Tests.Unit.Model;

/// <summary>A test of DuoAttention's published patterns, which are other people's data and lie beside the checkout, where they do.</summary>
public sealed class TheoryWithHeadPatternsAttribute : TheoryAttribute
{
    public TheoryWithHeadPatternsAttribute()
    {
        if (PublishedHeadPatterns.Folder is null)
            Skip = "needs attn_patterns of github.com/mit-han-lab/duo-attention as shared/reference/head-patterns in a folder above the checkout";
    }
}

internal static class PublishedHeadPatterns
{
    public static string? Folder { get; } = Find();

    private static string? Find()
    {
        for (var above = Directory.GetParent(RepositoryFiles.Root); above is not null; above = above.Parent)
            if (Path.Combine(above.FullName, "shared", "reference", "head-patterns") is var folder && Directory.Exists(folder))
                return folder;
        return null;
    }
}
