using LServe.Cuda.Driver;
using LServe.Inference;

namespace LServe.Cuda.State;

/// <summary>
/// Activations on the device, with room for float32. What a product reads (normed, attended, activated rows) is kept in binary16 there;
/// what it writes (the residual stream, queries, gates) in float32: each operation has one type for each of its buffers.
/// </summary>
internal sealed class CudaBuffer(int rows, int columns) : IDeviceBuffer
{
    private readonly DeviceMemory _memory = DeviceMemory.Allocate((long)rows * columns * sizeof(float));

    public int Rows => rows;
    public int Columns => columns;

    /// <summary>First byte of row <paramref name="row"/> of binary16 contents.</summary>
    public ulong Half(int row = 0) => _memory.Address + (ulong)((long)row * columns * 2);

    /// <summary>First byte of row <paramref name="row"/> of float32 contents.</summary>
    public ulong Float(int row = 0) => _memory.Address + (ulong)((long)row * columns * 4);

    public void Dispose() => _memory.Dispose();
}
