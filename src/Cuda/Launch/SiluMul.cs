using System.Runtime.InteropServices;
using LServe.Cuda.Driver;
using LServe.Cuda.Jit;

namespace LServe.Cuda.Launch;

/// <summary>Mirror of the struct in <c>kernels/include/lserve/params.h</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SiluMulParams
{
    public ulong GateUp, Y;
    public int Columns, Transposed;
}

/// <summary>Launches <c>kernels/pointwise/silu_mul.cu</c>.</summary>
internal sealed class SiluMul(KernelLibrary library) : IKernelFamily
{
    private const int Threads = 256, ElementsPerThread = 4;
    private static readonly KernelVariant Variant = new("pointwise/silu_mul.cu");
    private readonly CudaKernel _kernel = library.Kernel(Variant, "silu_mul_rows");

    public static IReadOnlyList<KernelVariant> Variants { get; } = [Variant];

    public void Launch(CudaStream stream, int rows, in SiluMulParams parameters)
    {
        const int PerBlock = Threads * ElementsPerThread;
        _kernel.Launch(stream, new((parameters.Columns + PerBlock - 1) / PerBlock, Threads, rows, OverlapPrevious: true), parameters);
    }
}
