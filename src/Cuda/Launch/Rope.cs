using System.Runtime.InteropServices;
using LServe.Cuda.Driver;
using LServe.Cuda.Jit;

namespace LServe.Cuda.Launch;

/// <summary>Mirror of the struct in <c>kernels/include/lserve/params.h</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RopeParams
{
    public ulong Qkv, Positions, InverseFrequencies, QueryNorm, KeyNorm;
    public int QueryHeads, KvHeads, HeadDim, Halves;
    public float Epsilon, Magnitude;
}

/// <summary>Launches <c>kernels/kv/rope.cu</c>: queries and keys turned in place.</summary>
internal sealed class Rope(KernelLibrary library) : IKernelFamily
{
    private const int Threads = 256;
    private static readonly KernelVariant Variant = new("kv/rope.cu");
    private readonly CudaKernel _kernel = library.Kernel(Variant, "rope");

    public static IReadOnlyList<KernelVariant> Variants { get; } = [Variant];

    public void Launch(CudaStream stream, int rows, in RopeParams parameters) =>
        _kernel.Launch(stream, new(rows, Threads, OverlapPrevious: true), parameters);
}
