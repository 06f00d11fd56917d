namespace LServe.Model;

/// <summary>A model file can't be used. The message names file, field and, where there is one, the offset.</summary>
public sealed class ModelFileException(string file, string field, long? offset, string problem, Exception? inner = null)
    : Exception(offset is null ? $"{file}: {field}: {problem}" : $"{file}: {field} at byte {offset}: {problem}", inner)
{
    public string File { get; } = file;
    public string Field { get; } = field;

    /// <summary>Bytes from the start of the file.</summary>
    public long? Offset { get; } = offset;
}
