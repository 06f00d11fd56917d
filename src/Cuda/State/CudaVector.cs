using LServe.Cuda.Driver;
using LServe.Inference;
using LServe.Model;

namespace LServe.Cuda.State;

/// <summary>A float32 vector on the device.</summary>
internal sealed class CudaVector : IDeviceWeight
{
    private readonly DeviceMemory _memory;

    public CudaVector(Tensor vector)
    {
        (Rows, Columns) = (vector.Rows, vector.Columns);
        var values = Values(vector);
        _memory = DeviceMemory.Allocate(values.Length * sizeof(float));
        _memory.Upload<float>(values);
    }

    public int Rows { get; }
    public int Columns { get; }
    public ulong Address => _memory.Address;

    public static float[] Values(Tensor vector)
    {
        var values = new float[vector.Rows * vector.Columns];
        for (var row = 0; row < vector.Rows; row++)
            TensorFormat.Dequantise(vector.Type, vector.Row(row), values.AsSpan(row * vector.Columns, vector.Columns));
        return values;
    }

    public void Dispose() => _memory.Dispose();
}
