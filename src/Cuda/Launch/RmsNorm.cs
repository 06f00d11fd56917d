using System.Runtime.InteropServices;
using LServe.Cuda.Driver;
using LServe.Cuda.Jit;

namespace LServe.Cuda.Launch;

/// <summary>Mirror of the struct in <c>kernels/include/lserve/params.h</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RmsNormParams
{
    public ulong X, Gain, Y, Rows;
    public int Columns;
    public float Epsilon;
    public int Transposed, Unused;
}

/// <summary>Launches <c>kernels/pointwise/rms_norm.cu</c>.</summary>
internal sealed class RmsNorm(KernelLibrary library) : IKernelFamily
{
    private const int Threads = 256;
    private static readonly KernelVariant Variant = new("pointwise/rms_norm.cu");
    private readonly CudaKernel _kernel = library.Kernel(Variant, "rms_norm");

    public static IReadOnlyList<KernelVariant> Variants { get; } = [Variant];

    public void Launch(CudaStream stream, int rows, in RmsNormParams parameters) =>
        _kernel.Launch(stream, new(rows, Threads, OverlapPrevious: true), parameters);
}
