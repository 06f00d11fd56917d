using System.Runtime.InteropServices;
using LServe.Inference;

namespace LServe.Cpu;

/// <summary>
/// Activations [rows, columns] in float32. Rows begin at cache lines, <see cref="Stride"/> floats apart; what lies between the last
/// column and the next row is zero and stays so, and kernels may read it.
/// </summary>
internal sealed unsafe class HostBuffer : IDeviceBuffer
{
    private const int LineFloats = 16;

    public HostBuffer(int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        (Rows, Columns, Stride) = (rows, columns, (columns + LineFloats - 1) / LineFloats * LineFloats);
        Data = (float*)NativeMemory.AlignedAlloc((nuint)rows * (nuint)Stride * sizeof(float), 64);
        if (Stride == columns) return;
        for (var row = 0; row < rows; row++) new Span<float>(Row(row) + columns, Stride - columns).Clear();
    }

    public int Rows { get; }
    public int Columns { get; }

    /// <summary>Floats from one row to the next.</summary>
    public int Stride { get; }
    public float* Data { get; private set; }

    public float* Row(int row) => Data + (long)row * Stride;

    public Span<float> Values(int row) => new(Row(row), Columns);

    public void Dispose()
    {
        NativeMemory.AlignedFree(Data);
        Data = null;
    }
}
