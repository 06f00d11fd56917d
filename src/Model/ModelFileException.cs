namespace LServe.Model;

/// <summary>A model file can't be used. The message names file, field and, where there is one, the offset.</summary>
public sealed class ModelFileException(string file, string field, long? offset, string problem, Exception? inner = null)
    : Exception(Describe(file, Shown(field), offset, Shown(problem)), inner)
{
    private const int MaxShown = 300;

    public string File { get; } = file;

    /// <summary>What is wrong there: a metadata key, a tensor, a place in the header.</summary>
    public string Field { get; } = Shown(field);

    /// <summary>Bytes from the start of the file.</summary>
    public long? Offset { get; } = offset;

    private static string Describe(string file, string field, long? offset, string problem) =>
        offset is null ? $"{file}: {field}: {problem}" : $"{file}: {field} at byte {offset}: {problem}";

    /// <summary>Names come from the file, which may be hostile: no control characters, nothing endless.</summary>
    private static string Shown(string text)
    {
        var shown = text.Length <= MaxShown ? text : text[..MaxShown] + "…";
        return string.Concat(shown.Select(c => char.IsControl(c) ? '\uFFFD' : c));
    }
}
