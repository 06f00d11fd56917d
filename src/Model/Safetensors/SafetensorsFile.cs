using System.Buffers.Binary;

namespace LServe.Model;

/// <summary>
/// A safetensors file: the length of a JSON header, the header, the data. Every tensor lies whole in the data and overlaps no other.
/// </summary>
/// <remarks>Format: the README of Hugging Face's safetensors project.</remarks>
internal sealed class SafetensorsFile : IDisposable
{
    public const int MaxHeaderBytes = 16 << 20;
    public const int MaxTensors = 65_536;

    private const int LengthBytes = 8;
    private readonly MappedFile _file;
    private readonly Dictionary<string, Tensor> _tensors = [];

    private SafetensorsFile(MappedFile file) => _file = file;

    public string Path => _file.Path;
    public IEnumerable<string> Names => _tensors.Keys;
    public Tensor? Find(string name) => _tensors.GetValueOrDefault(name);

    public static SafetensorsFile Open(string path)
    {
        var file = new SafetensorsFile(MappedFile.Open(path));
        try
        {
            file.ReadHeader();
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public ModelFileException Problem(string name, string problem) => new(Path, $"tensor {name}", null, problem);

    public void Dispose() => _file.Dispose();

    private void ReadHeader()
    {
        var cursor = new ByteCursor(_file);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(cursor.ReadBytes(LengthBytes, "header length"));
        if (length > MaxHeaderBytes)
            throw new ModelFileException(Path, "header length", 0, $"is {length} bytes; at most {MaxHeaderBytes} are read.");
        using var header = JsonFile.Parse(Path, cursor.ReadBytes((int)length, "header").ToArray(), LengthBytes);
        var count = 0;
        foreach (var (name, entry) in header.Root.Properties())
        {
            if (name == "__metadata__") continue;
            if (++count > MaxTensors) throw new ModelFileException(Path, "header", LengthBytes, $"has more than {MaxTensors} tensors.");
            Add(name, entry, cursor.Position);
        }
        CheckOverlaps();
    }

    private unsafe void Add(string name, JsonField entry, long dataStart)
    {
        var (rows, columns) = Shape(entry.Required("shape"));
        var type = Type(entry.Required("dtype"));
        var offsets = entry.Required("data_offsets").Items().ToArray();
        if (offsets.Length != 2) throw Problem(name, "has no pair of data_offsets.");
        var (start, end) = (Offset(offsets[0]), Offset(offsets[1]));
        var bytes = (Int128)rows * TensorFormat.RowBytes(type, columns);
        if (end > _file.Length - dataStart || start > end)
            throw Problem(name, $"has data_offsets {start} … {end}, not within {_file.Length - dataStart} bytes of data.");
        if (end - start != bytes) throw Problem(name, $"has {end - start} bytes of data; its shape and type want {bytes}.");
        if (!_tensors.TryAdd(name, new Tensor(name, type, rows, columns, _file.Address + dataStart + start, (long)bytes)))
            throw Problem(name, "is there twice.");
    }

    /// <summary>Vectors have one row; leading dimensions of more than two are rows as well.</summary>
    private static (int Rows, int Columns) Shape(JsonField shape)
    {
        var sizes = shape.Items().Select(s => s.Int(1, int.MaxValue)).ToArray();
        if (sizes.Length is 0 or > 4) throw shape.Problem($"has {sizes.Length} dimensions; 1 to 4 work.");
        Int128 rows = 1;
        foreach (var size in sizes[..^1]) rows *= size;
        return rows <= int.MaxValue ? ((int)rows, sizes[^1]) : throw shape.Problem("has too many rows.");
    }

    private static TensorType Type(JsonField dtype) => dtype.Text() switch
    {
        "F32" => TensorType.F32,
        "F16" => TensorType.F16,
        "BF16" => TensorType.BF16,
        var other => throw dtype.Problem($"is {other}; these work: F32, F16, BF16."),
    };

    private static long Offset(JsonField offset) =>
        offset.Element.ValueKind == System.Text.Json.JsonValueKind.Number && offset.Element.TryGetInt64(out var value) && value >= 0
            ? value
            : throw offset.Problem("is no offset.");

    private unsafe void CheckOverlaps()
    {
        var ordered = _tensors.Values.OrderBy(t => (ulong)t.Address).ToArray();
        for (var i = 1; i < ordered.Length; i++)
            if (ordered[i - 1].Address + ordered[i - 1].ByteLength > ordered[i].Address)
                throw Problem(ordered[i].Name, $"overlaps tensor {ordered[i - 1].Name}.");
    }
}
