using LServe.Cuda.Driver;
using LServe.Cuda.Jit;
using LServe.Cuda.Launch;

namespace LServe.Tests.Kernels.Cuda;

/// <summary>The device of this machine, opened once for all tests.</summary>
internal static class Gpu
{
    private static readonly Lazy<(CudaContext Context, KernelLibrary Library, CudaStream Stream)> Opened = new(() =>
    {
        var context = CudaContext.Open();
        return (context, new(context, new(KernelSources.Embedded, context.Architecture)), CudaStream.Create());
    });

    private static readonly Lazy<string?> Problem = new(() => Nvrtc.WhyMissing ?? CudaDevices.Describe().Problem);

    /// <summary>Null when kernels run here.</summary>
    public static string? WhyMissing => Problem.Value;

    public static KernelLibrary Library => Current.Library;
    public static CudaStream Stream => Current.Stream;

    private static (CudaContext Context, KernelLibrary Library, CudaStream Stream) Current
    {
        get
        {
            Opened.Value.Context.MakeCurrent();
            return Opened.Value;
        }
    }

    public static DeviceMemory Upload<T>(ReadOnlySpan<T> values) where T : unmanaged
    {
        _ = Current;
        var memory = DeviceMemory.Allocate(Math.Max(1, values.Length) * (long)System.Runtime.CompilerServices.Unsafe.SizeOf<T>());
        memory.Upload(values);
        return memory;
    }

    /// <summary>NaNs throughout, in every floating type.</summary>
    public static DeviceMemory Poisoned(long bytes)
    {
        var stream = Stream;
        var memory = DeviceMemory.Allocate(bytes);
        memory.Fill(0xff, stream);
        return memory;
    }

    public static T[] Download<T>(DeviceMemory memory, int count) where T : unmanaged
    {
        Stream.Synchronize();
        var values = new T[count];
        memory.Download<T>(values);
        return values;
    }
}

/// <summary>A test that launches kernels; skipped, with the reason, without a Hopper GPU.</summary>
internal sealed class GpuFactAttribute : FactAttribute
{
    public GpuFactAttribute() => Skip = Gpu.WhyMissing;
}

/// <inheritdoc cref="GpuFactAttribute"/>
internal sealed class GpuTheoryAttribute : TheoryAttribute
{
    public GpuTheoryAttribute() => Skip = Gpu.WhyMissing;
}
