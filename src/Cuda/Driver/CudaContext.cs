using System.Text;
using LServe.Cuda.Jit;
using static LServe.Cuda.Driver.CudaApi;

namespace LServe.Cuda.Driver;

/// <summary>The primary context of one device. Current on the thread that opened it; other threads call <see cref="MakeCurrent"/> first.</summary>
public sealed class CudaContext : IDisposable
{
    private readonly int _device;
    private readonly nint _handle;
    private bool _disposed;

    private CudaContext(int device, nint handle) => (_device, _handle) = (device, handle);

    public required string Name { get; init; }
    public required ComputeArchitecture Architecture { get; init; }
    public required int Multiprocessors { get; init; }
    public required long L2Bytes { get; init; }
    public required long MemoryBytes { get; init; }

    /// <summary>Shared memory a block may ask for.</summary>
    public required int MaxSharedBytes { get; init; }

    /// <param name="ordinal">Which device, from 0.</param>
    /// <exception cref="CudaUnavailableException">No driver, or no such device.</exception>
    public static CudaContext Open(int ordinal = 0)
    {
        CudaDevices.Initialize();
        Check(cuDeviceGetCount(out var count));
        if (ordinal >= count) throw new CudaUnavailableException($"There is no GPU {ordinal}: this machine shows {count}. Choose another, or --backend cpu.");
        Check(cuDeviceGet(out var device, ordinal));
        Check(cuDeviceTotalMem_v2(out var bytes, device));
        Check(cuDevicePrimaryCtxRetain(out var handle, device));
        Check(cuCtxSetCurrent(handle));
        return new(device, handle)
        {
            Name = DeviceName(device),
            Architecture = new(Attribute(device, DeviceAttribute.ComputeCapabilityMajor), Attribute(device, DeviceAttribute.ComputeCapabilityMinor)),
            Multiprocessors = Attribute(device, DeviceAttribute.MultiprocessorCount),
            L2Bytes = Attribute(device, DeviceAttribute.L2CacheBytes),
            MemoryBytes = (long)bytes,
            MaxSharedBytes = Attribute(device, DeviceAttribute.MaxSharedBytesPerBlock),
        };
    }

    public void MakeCurrent() => Check(cuCtxSetCurrent(_handle));

    public void Synchronize() => Check(cuCtxSynchronize());

    /// <summary>Bytes of device memory nobody has taken.</summary>
    public long FreeBytes
    {
        get
        {
            Check(cuMemGetInfo_v2(out var free, out _));
            return (long)free;
        }
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        Check(cuDevicePrimaryCtxRelease_v2(_device));
    }

    internal static unsafe string DeviceName(int device)
    {
        var buffer = stackalloc byte[256];
        Check(cuDeviceGetName(buffer, 256, device));
        var name = new ReadOnlySpan<byte>(buffer, 256);
        return Encoding.UTF8.GetString(name[..name.IndexOf((byte)0)]);
    }

    internal static int Attribute(int device, int attribute)
    {
        Check(cuDeviceGetAttribute(out var value, attribute, device));
        return value;
    }
}
