using LServe.Cuda.Driver;
using LServe.Cuda.Jit;

namespace LServe.Cuda.Launch;

/// <summary>Launches <c>kernels/select/select_refine.cu</c>: the second stage of <see cref="PagePolicy.TwoStage"/>, over the candidates, in every step.</summary>
internal sealed class SelectRefine : IKernelFamily
{
    /// <summary>Pages among which a row's head may choose: candidates and recent pages.</summary>
    public const int MaxPool = 1024;

    private const int Threads = 256, Warps = Threads / 32, PagesOfWarp = 32, BlocksPerMultiprocessor = 3;
    private readonly CudaKernel _kernel;
    private readonly int _pool, _resident;

    /// <param name="bits">High bits of a key's code that are read: 2, or 4 of 8; ignored where keys are binary16.</param>
    /// <param name="pool">Candidates and recent pages, at most <see cref="MaxPool"/>.</param>
    public SelectRefine(KernelLibrary library, AttentionShape shape, int bits, int pool)
    {
        if (pool > MaxPool)
            throw new NotSupportedException($"{pool} candidate pages, of at most {MaxPool}. Lower the budget or the number of candidates.");
        (_pool, _resident) = (pool, library.Context.Multiprocessors * BlocksPerMultiprocessor);
        _kernel = library.Kernel(Variant(shape, bits), "select_refine", SharedBytes);
    }

    public static IReadOnlyList<KernelVariant> Variants { get; } =
        [.. AttentionShape.Served.Select(shape => Variant(shape, 2)), Variant(new(new(128, KvFormat.K8V4), 4), 4), Variant(new(new(64, KvFormat.Int8), 3), 4)];

    private int SharedBytes => 2 * sizeof(int) * _pool;

    /// <summary>Floats of one row and head at <see cref="SelectParams.Scores"/>.</summary>
    public static int ScoreFloats(int group, int pool) => 2 * group * pool;

    public void Launch(CudaStream stream, int rows, in SelectParams parameters)
    {
        var heads = rows * parameters.Kv.RetrievalHeads;
        var blocks = Math.Clamp(_resident / Math.Max(heads, 1), (_pool + Warps * PagesOfWarp - 1) / (Warps * PagesOfWarp), (_pool + Warps - 1) / Warps);
        _kernel.Launch(stream, new(blocks, Threads, parameters.Kv.RetrievalHeads, rows, SharedBytes, OverlapPrevious: true), parameters);
    }

    public static KernelVariant Variant(AttentionShape shape, int bits) =>
        new("select/select_refine.cu", [.. shape.Defines, $"SKETCH_BITS={(shape.Layout.KeyBits == 16 ? 16 : bits)}"]);
}
