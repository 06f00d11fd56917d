namespace LServe.Model;

/// <summary>The tensors of a GGUF file: each lies whole in the data section, aligned, and overlaps no other.</summary>
internal sealed class GgufTensors : ITensorDirectory
{
    private const int MaxNameBytes = 1024, MaxDimensions = 4;

    private readonly record struct Entry(Tensor Tensor, long InfoOffset);

    private readonly MappedFile _file;
    private readonly Dictionary<string, Entry> _entries = [];

    private GgufTensors(MappedFile file) => _file = file;

    public IEnumerable<string> Names => _entries.Keys;

    public Tensor? Find(string name) => _entries.TryGetValue(name, out var entry) ? entry.Tensor : null;

    public ModelFileException Problem(string name, string problem) =>
        new(_file.Path, $"tensor {name}", _entries.TryGetValue(name, out var entry) ? entry.InfoOffset : null, problem);

    public static GgufTensors Read(ByteCursor cursor, int count, int alignment)
    {
        var infos = new List<GgufTensorInfo>();
        for (var i = 0; i < count; i++) infos.Add(ReadInfo(cursor, i));
        var dataStart = (cursor.Position + alignment - 1) / alignment * alignment;
        var tensors = new GgufTensors(cursor.File);
        foreach (var info in infos) tensors.Add(info, dataStart, alignment);
        tensors.CheckOverlaps();
        return tensors;
    }

    private static GgufTensorInfo ReadInfo(ByteCursor cursor, int index)
    {
        var infoOffset = cursor.Position;
        var name = GgufMetadata.ReadText(cursor, $"name of tensor {index}", MaxNameBytes);
        var field = $"tensor {name}";
        var dimensions = cursor.Read<uint>(field);
        if (dimensions is 0 or > MaxDimensions) throw cursor.Problem(field, $"has {dimensions} dimensions; 1 to {MaxDimensions} work.");
        long columns = ReadDimension(cursor, field), rows = 1;
        for (var d = 1; d < dimensions; d++)
        {
            rows *= ReadDimension(cursor, field);
            if (rows > int.MaxValue) throw cursor.Problem(field, "has too many rows.");
        }
        var type = (TensorType)cursor.Read<uint>(field);
        if (!TensorFormat.IsSupported(type))
            throw cursor.Problem(field, $"has the type {GgmlTypeNames.Of((uint)type)}; these work: {TensorFormat.SupportedNames}.");
        var offset = cursor.Read<ulong>(field);
        return new GgufTensorInfo(name, type, (int)rows, (int)columns, offset, infoOffset);
    }

    private static long ReadDimension(ByteCursor cursor, string field)
    {
        var size = cursor.Read<ulong>(field);
        return size is > 0 and <= int.MaxValue ? (long)size : throw cursor.Problem(field, $"has a dimension of {size}.");
    }

    private unsafe void Add(GgufTensorInfo info, long dataStart, int alignment)
    {
        ModelFileException Wrong(string problem) => new(_file.Path, $"tensor {info.Name}", info.InfoOffset, problem);

        if (info.Columns % TensorFormat.BlockValues(info.Type) != 0)
            throw Wrong($"has rows of {info.Columns} values, which is no multiple of {info.Type}'s {TensorFormat.BlockValues(info.Type)}.");
        if (info.Offset % (ulong)alignment != 0)
            throw Wrong($"starts at data offset {info.Offset}, which is no multiple of the alignment {alignment}.");
        var bytes = (Int128)info.Rows * TensorFormat.RowBytes(info.Type, info.Columns);
        if (dataStart + (Int128)info.Offset + bytes > _file.Length)
            throw Wrong($"needs {bytes} bytes from data offset {info.Offset}, past the end of the file ({_file.Length} bytes).");
        var address = _file.Address + dataStart + (long)info.Offset;
        var tensor = new Tensor(info.Name, info.Type, info.Rows, info.Columns, address, (long)bytes);
        if (!_entries.TryAdd(info.Name, new Entry(tensor, info.InfoOffset))) throw Wrong("is there twice.");
    }

    private unsafe void CheckOverlaps()
    {
        var ordered = _entries.Values.OrderBy(e => (ulong)e.Tensor.Address).ToArray();
        for (var i = 1; i < ordered.Length; i++)
        {
            var (before, tensor) = (ordered[i - 1].Tensor, ordered[i].Tensor);
            if (before.Address + before.ByteLength > tensor.Address) throw Problem(tensor.Name, $"overlaps tensor {before.Name}.");
        }
    }
}

/// <param name="Offset">Bytes from the start of the data section, as the file says.</param>
/// <param name="InfoOffset">Bytes from the start of the file to this description.</param>
internal readonly record struct GgufTensorInfo(string Name, TensorType Type, int Rows, int Columns, ulong Offset, long InfoOffset);
