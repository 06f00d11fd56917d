using LServe.Cuda.Driver;

namespace LServe.Cuda.State;

/// <summary>Device memory that grows by doubling and then moves, zeroed; contents are lost.</summary>
internal sealed class Scratch : IDisposable
{
    private DeviceMemory? _memory;

    public ulong Address => _memory?.Address ?? 0;

    /// <returns>Whether the address has changed.</returns>
    public bool Reserve(long bytes, CudaStream stream)
    {
        if (_memory is { } known && known.Bytes >= bytes) return false;
        var size = Math.Max(bytes, 2 * (_memory?.Bytes ?? 0));
        _memory?.Dispose();
        _memory = DeviceMemory.Allocate(size);
        _memory.Fill(0, stream);
        return true;
    }

    /// <summary>The first integers, once everything before has ended.</summary>
    public int[] Read(int count)
    {
        var values = new int[count];
        _memory!.Download<int>(values);
        return values;
    }

    public void Dispose() => _memory?.Dispose();
}
