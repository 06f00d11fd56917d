using System.Text;

namespace LServe.Tests.Support;

/// <summary>Writes GGUF version 3 files for tests: metadata in the order they are added, then tensors, each aligned to 32 bytes.</summary>
public sealed class GgufWriter
{
    private const int Alignment = 32;
    private const uint Float32 = 6, Bool = 7, String = 8, Array = 9, UInt32 = 4, Int32 = 5;

    private readonly List<byte[]> _entries = [];
    private readonly List<(string Name, uint Type, ulong[] Dimensions, byte[] Data)> _tensors = [];

    public GgufWriter Add(string key, string value) => Entry(key, w => { w.Write(String); Text(w, value); });
    public GgufWriter Add(string key, uint value) => Entry(key, w => { w.Write(UInt32); w.Write(value); });
    public GgufWriter Add(string key, float value) => Entry(key, w => { w.Write(Float32); w.Write(value); });
    public GgufWriter Add(string key, bool value) => Entry(key, w => { w.Write(Bool); w.Write(value); });
    public GgufWriter Add(string key, IReadOnlyList<string> values) => Elements(key, String, values, Text);
    public GgufWriter Add(string key, IReadOnlyList<int> values) => Elements(key, Int32, values, (w, v) => w.Write(v));
    public GgufWriter Add(string key, IReadOnlyList<float> values) => Elements(key, Float32, values, (w, v) => w.Write(v));

    /// <param name="dimensions">Row length first, as GGUF has it.</param>
    public GgufWriter AddTensor(string name, uint type, ulong[] dimensions, byte[] data)
    {
        _tensors.Add((name, type, dimensions, data));
        return this;
    }

    public byte[] ToArray()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write((ulong)_tensors.Count);
        writer.Write((ulong)_entries.Count);
        foreach (var entry in _entries) writer.Write(entry);
        WriteTensorInfos(writer);
        foreach (var tensor in _tensors)
        {
            Pad(writer);
            writer.Write(tensor.Data);
        }
        Pad(writer);
        writer.Flush();
        return stream.ToArray();
    }

    private void WriteTensorInfos(BinaryWriter writer)
    {
        ulong offset = 0;
        foreach (var (name, type, dimensions, data) in _tensors)
        {
            Text(writer, name);
            writer.Write((uint)dimensions.Length);
            foreach (var dimension in dimensions) writer.Write(dimension);
            writer.Write(type);
            writer.Write(offset);
            offset += (ulong)(data.Length + Alignment - 1) / Alignment * Alignment;
        }
    }

    private GgufWriter Elements<T>(string key, uint type, IReadOnlyList<T> values, Action<BinaryWriter, T> write) => Entry(key, w =>
    {
        w.Write(Array);
        w.Write(type);
        w.Write((ulong)values.Count);
        foreach (var value in values) write(w, value);
    });

    private GgufWriter Entry(string key, Action<BinaryWriter> value)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        Text(writer, key);
        value(writer);
        writer.Flush();
        _entries.Add(stream.ToArray());
        return this;
    }

    private static void Text(BinaryWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private static void Pad(BinaryWriter writer)
    {
        while (writer.BaseStream.Position % Alignment != 0) writer.Write((byte)0);
    }
}
