using LServe.Cuda.Driver;
using LServe.Cuda.Jit;

namespace LServe.Cuda.Launch;

/// <summary>Launches <c>kernels/attention/attention_decode.cu</c>: attention of single rows over their page lists, all heads of both kinds.</summary>
internal sealed class AttentionDecode(KernelLibrary library, AttentionShape shape) : IKernelFamily
{
    private const int Threads = 128;
    private readonly CudaKernel _kernel = library.Kernel(Variant(shape), "attention_decode");

    public static IReadOnlyList<KernelVariant> Variants { get; } = [.. AttentionShape.Served.Select(Variant)];

    /// <summary>Floats at <see cref="AttentionDecodeParams.Partial"/>.</summary>
    public static long PartialFloats(AttentionShape shape, int blocks) => (long)blocks * shape.Group * (shape.Layout.HeadDim + 2);

    /// <param name="blocks">At least retrieval items · retrieval heads + streaming items · streaming heads.</param>
    public void Launch(CudaStream stream, int blocks, in AttentionDecodeParams parameters) =>
        _kernel.Launch(stream, new(blocks, Threads, OverlapPrevious: true), parameters);

    public static KernelVariant Variant(AttentionShape shape) => new("attention/attention_decode.cu", shape.Defines);
}
