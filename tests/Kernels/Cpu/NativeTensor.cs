using System.Runtime.InteropServices;
using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Kernels.Cpu;

/// <summary>A tensor in memory of its own.</summary>
internal sealed unsafe class NativeTensor : IDisposable
{
    public NativeTensor(TensorType type, int rows, int columns, ReadOnlySpan<byte> bytes)
    {
        var memory = (byte*)NativeMemory.Alloc((nuint)bytes.Length);
        bytes.CopyTo(new Span<byte>(memory, bytes.Length));
        Tensor = new Tensor($"random {type}", type, rows, columns, memory, bytes.Length);
    }

    public Tensor Tensor { get; }

    public static NativeTensor Random(Random random, TensorType type, int rows, int columns, float deviation = 0.1f) =>
        new(type, rows, columns, RandomTensor.Bytes(random, type, rows, columns, deviation));

    public static NativeTensor Of(ReadOnlySpan<float> values) => new(TensorType.F32, 1, values.Length, MemoryMarshal.AsBytes(values));

    public void Dispose() => NativeMemory.Free(Tensor.Address);
}
