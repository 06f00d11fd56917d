using System.Runtime.CompilerServices;
using static LServe.Cuda.Driver.CudaApi;

namespace LServe.Cuda.Driver;

/// <summary>Host memory that the device copies from and to without a staging buffer.</summary>
public sealed unsafe class PinnedMemory : CudaHandle
{
    private PinnedMemory(nint address, long bytes) : base(address) => Bytes = bytes;

    public long Bytes { get; }

    public static PinnedMemory Allocate(long bytes)
    {
        Check(cuMemHostAlloc(out var address, (nuint)Math.Max(bytes, 1), 0), $"cuMemHostAlloc of {bytes:N0} bytes");
        return new(address, bytes);
    }

    public byte* Address => (byte*)Value;

    /// <summary>The first <paramref name="count"/> elements at <paramref name="offset"/> bytes.</summary>
    public Span<T> Span<T>(int count, long offset = 0) where T : unmanaged
    {
        if (offset < 0 || count < 0 || offset + (long)count * Unsafe.SizeOf<T>() > Bytes)
            throw new ArgumentOutOfRangeException(nameof(count), $"{count} elements at {offset} don't fit {Bytes} bytes.");
        return new(Address + offset, count);
    }

    protected override bool ReleaseHandle() => cuMemFreeHost(handle) == 0;
}
