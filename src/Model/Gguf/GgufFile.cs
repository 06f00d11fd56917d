namespace LServe.Model;

/// <summary>The header of a GGUF file of version 2 or 3: metadata and where the tensors lie. Nothing of the file is copied.</summary>
/// <remarks>Format: the GGUF specification in the ggml project, docs/gguf.md.</remarks>
internal sealed class GgufFile
{
    public const int MaxMetadataEntries = 65_536;
    public const int MaxTensors = 65_536;

    private const uint Magic = 0x46554747; // "GGUF"

    private GgufFile(MappedFile file, GgufMetadata metadata, GgufTensors tensors) => (File, Metadata, Tensors) = (file, metadata, tensors);

    public MappedFile File { get; }
    public GgufMetadata Metadata { get; }
    public GgufTensors Tensors { get; }

    /// <exception cref="ModelFileException">The header contradicts itself or the file's length.</exception>
    public static GgufFile Read(MappedFile file)
    {
        var cursor = new ByteCursor(file);
        CheckMagicAndVersion(cursor);
        var tensorCount = ReadCount(cursor, "tensor_count", MaxTensors);
        var entryCount = ReadCount(cursor, "metadata_kv_count", MaxMetadataEntries);
        var metadata = GgufMetadata.Read(cursor, entryCount);
        var tensors = GgufTensors.Read(cursor, tensorCount, Alignment(metadata));
        return new GgufFile(file, metadata, tensors);
    }

    private static void CheckMagicAndVersion(ByteCursor cursor)
    {
        const string wanted = "is no GGUF file; give a .gguf file or a folder with config.json, tokenizer.json and safetensors.";
        if (cursor.Read<uint>("magic") != Magic) throw new ModelFileException(cursor.File.Path, "magic", 0, wanted);
        var version = cursor.Read<uint>("version");
        if (version is 2 or 3) return;
        var why = (version & 0xFFFF) == 0 && version != 0 ? "is a big-endian file" : $"is version {version}";
        throw new ModelFileException(cursor.File.Path, "version", 4, $"{why}; little-endian versions 2 and 3 work.");
    }

    private static int ReadCount(ByteCursor cursor, string field, int limit)
    {
        var offset = cursor.Position;
        var count = cursor.Read<ulong>(field);
        if (count <= (ulong)limit) return (int)count;
        throw new ModelFileException(cursor.File.Path, field, offset, $"is {count}; at most {limit} are read.");
    }

    private static int Alignment(GgufMetadata metadata)
    {
        const string key = "general.alignment";
        const int fallback = 32, largest = 1 << 20;
        var alignment = metadata.OptionalInt(key, 1, largest) ?? fallback;
        return (alignment & (alignment - 1)) == 0 ? alignment : throw metadata.Problem(key, $"is {alignment}, which is no power of two.");
    }
}
