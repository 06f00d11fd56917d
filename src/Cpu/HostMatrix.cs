using LServe.Inference;
using LServe.Model;

namespace LServe.Cpu;

/// <summary>A matrix [outputs, inputs] of stacked tensors that stay where the model file has them, and the biases of its outputs.</summary>
internal sealed class HostMatrix : IDeviceWeight
{
    private readonly Tensor[] _parts;

    public HostMatrix(ReadOnlySpan<Tensor> parts, ReadOnlySpan<Tensor?> biases)
    {
        if (parts.IsEmpty) throw new ArgumentException("A matrix has at least one part.", nameof(parts));
        if (!biases.IsEmpty && biases.Length != parts.Length) throw new ArgumentException("One bias (or null) per part.", nameof(biases));
        _parts = parts.ToArray();
        Columns = parts[0].Columns;
        foreach (var part in parts)
        {
            if (part.Columns != Columns)
                throw new ArgumentException($"{part.Name} has {part.Columns} columns beside {Columns} of {parts[0].Name}.", nameof(parts));
            Rows += part.Rows;
        }
        Bias = ReadBiases(parts, biases, Rows);
    }

    public int Rows { get; }
    public int Columns { get; }
    public ReadOnlySpan<Tensor> Parts => _parts;

    /// <summary>[Rows], or null when no part has one.</summary>
    public float[]? Bias { get; }

    /// <summary>The part that holds an output, and the output's row within it.</summary>
    public (Tensor Part, int Row) Locate(int row)
    {
        foreach (var part in _parts)
        {
            if (row < part.Rows) return (part, row);
            row -= part.Rows;
        }
        throw new ArgumentOutOfRangeException(nameof(row));
    }

    private static float[]? ReadBiases(ReadOnlySpan<Tensor> parts, ReadOnlySpan<Tensor?> biases, int rows)
    {
        float[]? all = null;
        for (int i = 0, first = 0; i < biases.Length; first += parts[i++].Rows)
        {
            if (biases[i] is not { } bias) continue;
            if (bias.Rows * bias.Columns != parts[i].Rows)
                throw new ArgumentException($"{bias.Name} has {bias.Rows * bias.Columns} values for {parts[i].Rows} outputs.", nameof(biases));
            using var values = new HostVector(bias);
            values.Values.CopyTo((all ??= new float[rows]).AsSpan(first));
        }
        return all;
    }

    public void Dispose()
    {
        // The tensors' memory belongs to the model file.
    }
}
