using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace LServe.Tests.Support;

/// <summary>A small safetensors file of reference values, read without the code under test.</summary>
public sealed class ReferenceTensors
{
    private readonly byte[] _data;
    private readonly Dictionary<string, (string Type, int[] Shape, int Start, int End)> _entries = [];

    private ReferenceTensors(byte[] file)
    {
        var headerLength = (int)BinaryPrimitives.ReadUInt64LittleEndian(file);
        _data = file[(8 + headerLength)..];
        using var header = JsonDocument.Parse(file.AsMemory(8, headerLength));
        foreach (var entry in header.RootElement.EnumerateObject().Where(e => e.Name != "__metadata__"))
        {
            var offsets = entry.Value.GetProperty("data_offsets");
            var shape = entry.Value.GetProperty("shape").EnumerateArray().Select(d => d.GetInt32()).ToArray();
            _entries[entry.Name] = (entry.Value.GetProperty("dtype").GetString()!, shape, offsets[0].GetInt32(), offsets[1].GetInt32());
        }
    }

    public IReadOnlyCollection<string> Names => _entries.Keys;

    public static ReferenceTensors Open(string path) => new(File.ReadAllBytes(path));

    public int[] Shape(string name) => _entries[name].Shape;
    public byte[] Bytes(string name) => Read<byte>(name, "U8");
    public float[] Floats(string name) => Read<float>(name, "F32");
    public int[] Ints(string name) => Read<int>(name, "I32");

    private T[] Read<T>(string name, string type) where T : unmanaged
    {
        var entry = _entries[name];
        if (entry.Type != type) throw new InvalidOperationException($"{name} is {entry.Type}, not {type}.");
        return MemoryMarshal.Cast<byte, T>(_data.AsSpan(entry.Start..entry.End)).ToArray();
    }
}
