using System.Runtime.InteropServices;
using LServe.Inference;
using LServe.Model;

namespace LServe.Cpu;

/// <summary>A vector weight as float32, starting at a cache line.</summary>
internal sealed unsafe class HostVector : IDeviceWeight
{
    public HostVector(Tensor vector)
    {
        Columns = checked(vector.Rows * vector.Columns);
        Data = (float*)NativeMemory.AlignedAlloc((nuint)Columns * sizeof(float), 64);
        for (var row = 0; row < vector.Rows; row++)
            TensorFormat.Dequantise(vector.Type, vector.Row(row), Values.Slice(row * vector.Columns, vector.Columns));
    }

    public int Rows => 1;
    public int Columns { get; }
    public float* Data { get; private set; }
    public Span<float> Values => new(Data, Columns);

    public void Dispose()
    {
        NativeMemory.AlignedFree(Data);
        Data = null;
    }
}
