namespace LServe.Tests.Tidy;

/// <summary>A text file of the repository.</summary>
/// <param name="Path">From the root, with <c>/</c>.</param>
public sealed record SourceFile(string Path, string Text)
{
    private string? _code;

    public string Kind => System.IO.Path.GetExtension(Path);
    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path);
    public string[] Lines => Text.Split('\n');

    /// <summary>The text with comments and the contents of string literals blanked out; every character keeps its place.</summary>
    public string Code => _code ??= Scrubber.Blank(Text, comments: true, strings: true);

    public string[] CodeLines => Code.Split('\n');

    public bool IsUnder(params string[] folders) => folders.Any(folder => Path.StartsWith(folder + "/", StringComparison.Ordinal));

    /// <summary><c>path:line: what</c>, as compilers write it.</summary>
    public string At(int lineIndex, string what) => $"{Path}:{lineIndex + 1}: {what}";
}
