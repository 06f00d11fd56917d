using LServe.Cuda.Driver;

namespace LServe.Cuda.State;

/// <summary>Integers that the host writes into pinned memory and the device reads from its own. Grows by doubling and then moves.</summary>
internal sealed class MirroredMemory : IDisposable
{
    private PinnedMemory? _host;
    private DeviceMemory? _device;

    public ulong Address => _device!.Address;
    public int Capacity { get; private set; }
    public Span<int> Host => _host!.Span<int>(Capacity);

    /// <returns>Whether addresses have changed, and with them all contents been lost.</returns>
    public bool Reserve(int count)
    {
        if (count <= Capacity) return false;
        Dispose();
        Capacity = Math.Max(count, 2 * Capacity);
        _host = PinnedMemory.Allocate((long)Capacity * sizeof(int));
        _device = DeviceMemory.Allocate((long)Capacity * sizeof(int));
        return true;
    }

    /// <summary>Brings a range to the device, in the stream's order. The host's part stays untouched until then.</summary>
    public void Upload(CudaStream stream, int first, int count)
    {
        if (count > 0) stream.Upload(_device!, (long)first * sizeof(int), _host!, (long)first * sizeof(int), (long)count * sizeof(int));
    }

    public void Dispose()
    {
        _host?.Dispose();
        _device?.Dispose();
    }
}
