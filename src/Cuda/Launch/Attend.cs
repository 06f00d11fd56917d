using System.Runtime.InteropServices;
using LServe.Cuda.Driver;
using LServe.Cuda.Jit;

namespace LServe.Cuda.Launch;

/// <summary>Mirror of the struct in <c>kernels/include/lserve/params.h</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AttendParams
{
    public DensePages Kv;
    public ulong Qkv, Output;
    public int QueryHeads, HeadDim;
}

/// <summary>Launches <c>kernels/kv/attend.cu</c>.</summary>
internal sealed class Attend(KernelLibrary library) : IKernelFamily
{
    private const int Threads = 256;
    private static readonly KernelVariant Variant = new("kv/attend.cu");
    private readonly CudaKernel _kernel = library.Kernel(Variant, "attend");

    public static IReadOnlyList<KernelVariant> Variants { get; } = [Variant];

    public void Launch(CudaStream stream, int rows, in AttendParams parameters) =>
        _kernel.Launch(stream, new(rows, Threads, parameters.QueryHeads, OverlapPrevious: true), parameters);
}
