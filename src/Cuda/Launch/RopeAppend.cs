using System.Runtime.InteropServices;
using LServe.Cuda.Driver;
using LServe.Cuda.Jit;

namespace LServe.Cuda.Launch;

/// <summary>Mirror of <c>DensePages</c> in <c>kernels/include/lserve/params.h</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct DensePages
{
    public ulong Layer, Tables, Lines, Positions;
    public int Width, KvHeads;
}

/// <summary>Mirror of the struct in <c>kernels/include/lserve/params.h</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RopeAppendParams
{
    public DensePages Kv;
    public ulong Qkv, InverseFrequencies, QueryNorm, KeyNorm;
    public int QueryHeads, HeadDim, Halves;
    public float Epsilon, Magnitude;
    public int Unused;
}

/// <summary>Launches <c>kernels/kv/rope_append.cu</c>.</summary>
internal sealed class RopeAppend(KernelLibrary library) : IKernelFamily
{
    public const int MaxHeadDim = 256;

    private const int Threads = 256;
    private static readonly KernelVariant Variant = new("kv/rope_append.cu");
    private readonly CudaKernel _kernel = library.Kernel(Variant, "rope_append");

    public static IReadOnlyList<KernelVariant> Variants { get; } = [Variant];

    public void Launch(CudaStream stream, int rows, in RopeAppendParams parameters) =>
        _kernel.Launch(stream, new(rows, Threads, OverlapPrevious: true), parameters);
}
