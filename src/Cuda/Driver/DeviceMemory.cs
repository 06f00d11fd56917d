using System.Runtime.CompilerServices;
using static LServe.Cuda.Driver.CudaApi;

namespace LServe.Cuda.Driver;

/// <summary>A range of device memory, aligned to 256 bytes.</summary>
public sealed unsafe class DeviceMemory : CudaHandle
{
    private DeviceMemory(ulong address, long bytes) : base((nint)address) => Bytes = bytes;

    public long Bytes { get; }
    public ulong Address => (ulong)Value;

    /// <exception cref="CudaException">Among others, too little free memory: the message tells how much was asked for.</exception>
    public static DeviceMemory Allocate(long bytes)
    {
        var code = cuMemAlloc_v2(out var address, (nuint)Math.Max(bytes, 1));
        Check(code, $"cuMemAlloc of {bytes:N0} bytes");
        return new(address, bytes);
    }

    /// <summary>Waits until <paramref name="source"/> has arrived.</summary>
    public void Upload<T>(ReadOnlySpan<T> source, long offset = 0) where T : unmanaged
    {
        var bytes = Ranged((long)source.Length * Unsafe.SizeOf<T>(), offset);
        fixed (T* from = source) Check(cuMemcpyHtoD_v2(Address + (ulong)offset, from, bytes));
        Check(cuStreamSynchronize(0)); // the copy returns once the source is staged, which other streams don't wait for
    }

    /// <summary>Waits until everything issued before has ended, and reads.</summary>
    public void Download<T>(Span<T> target, long offset = 0) where T : unmanaged
    {
        var bytes = Ranged((long)target.Length * Unsafe.SizeOf<T>(), offset);
        fixed (T* to = target) Check(cuMemcpyDtoH_v2(to, Address + (ulong)offset, bytes));
    }

    public void Fill(byte value, CudaStream stream) => Check(cuMemsetD8Async(Address, value, (nuint)Bytes, stream.Value));

    protected override bool ReleaseHandle() => cuMemFree_v2((ulong)handle) == 0;

    internal nuint Ranged(long bytes, long offset)
    {
        if (offset < 0 || bytes < 0 || offset + bytes > Bytes)
            throw new ArgumentOutOfRangeException(nameof(offset), $"{bytes} bytes at {offset} don't fit a range of {Bytes}.");
        return (nuint)bytes;
    }
}
