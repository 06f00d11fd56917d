using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;

namespace LServe.Model;

/// <summary><c>centres.safetensors</c>: one tensor <c>centres</c> [layers, KV heads, D] in float32.</summary>
internal static class CentresFile
{
    private const string Name = "centres";
    private const int Alignment = 8;

    /// <returns>Null if there is no such file.</returns>
    /// <exception cref="ModelFileException">The file is damaged, or its tensor is of another shape or type, or has something that is no finite number.</exception>
    public static float[]? ReadOptional(string path, int layers, int kvHeads)
    {
        if (!File.Exists(path)) return null;
        using var file = SafetensorsFile.Open(path);
        var tensor = file.Find(Name) ?? throw file.Problem(Name, "is missing.");
        if (tensor.Type != TensorType.F32) throw file.Problem(Name, $"is {tensor.Type}; centres are F32.");
        if (tensor.Rows != layers * kvHeads)
            throw file.Problem(Name, $"has vectors for {tensor.Rows} heads; the gates are for {layers} layers of {kvHeads} heads.");
        var values = new float[tensor.Rows * tensor.Columns];
        for (var row = 0; row < tensor.Rows; row++)
            MemoryMarshal.Cast<byte, float>(tensor.Row(row)).CopyTo(values.AsSpan(row * tensor.Columns));
        var odd = Array.FindIndex(values, v => !float.IsFinite(v));
        if (odd >= 0) throw file.Problem(Name, $"has {values[odd]} at element {odd}, which is no number to centre by.");
        return values;
    }

    public static void Write(string path, int layers, int kvHeads, float[] centres)
    {
        var dim = centres.Length / (layers * kvHeads);
        var entry = new JsonObject { ["dtype"] = "F32", ["shape"] = new JsonArray(layers, kvHeads, dim), ["data_offsets"] = new JsonArray(0, centres.Length * sizeof(float)) };
        var header = new JsonObject { [Name] = entry }.ToJsonString();
        header = header.PadRight((header.Length + Alignment - 1) / Alignment * Alignment);
        var bytes = new byte[sizeof(ulong) + header.Length + centres.Length * sizeof(float)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)header.Length);
        Encoding.ASCII.GetBytes(header, bytes.AsSpan(sizeof(ulong)));
        MemoryMarshal.AsBytes(centres.AsSpan()).CopyTo(bytes.AsSpan(sizeof(ulong) + header.Length));
        File.WriteAllBytes(path, bytes);
    }
}
