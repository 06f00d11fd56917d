using LServe.Cuda.Driver;
using LServe.Cuda.Jit;

namespace LServe.Cuda.Launch;

/// <summary>Launches <c>kernels/select/select_refine.cu</c>: the second stage of <see cref="PagePolicy.TwoStage"/>, over the candidates, in every step.</summary>
internal sealed class SelectRefine : IKernelFamily
{
    /// <summary>Pages among which a row's head may choose: candidates and recent pages.</summary>
    public const int MaxPool = 1024;

    private const int Threads = 256, Warps = Threads / 32, PagesOfWarp = 32, BlocksPerMultiprocessor = 3;

    /// <summary>Blocks of a cluster, while every block has a multiprocessor; measured slower than blocks apart where they are many.</summary>
    private const int Cluster = 16;

    private readonly CudaKernel _kernel;
    private readonly int _pool, _group, _multiprocessors;

    /// <param name="bits">High bits of a key's code that are read: 2, or 4 of 8; ignored where keys are binary16.</param>
    /// <param name="pool">Candidates and recent pages, at most <see cref="MaxPool"/>.</param>
    public SelectRefine(KernelLibrary library, AttentionShape shape, int bits, int pool)
    {
        if (pool > MaxPool)
            throw new NotSupportedException($"{pool} candidate pages, of at most {MaxPool}. Lower the budget or the number of candidates.");
        (_pool, _group, _multiprocessors) = (pool, shape.Group, library.Context.Multiprocessors);
        _kernel = library.Kernel(Variant(shape, bits), "select_refine", SharedBytes(clusters: true), wideClusters: true);
    }

    public static IReadOnlyList<KernelVariant> Variants { get; } =
        [.. AttentionShape.Served.Select(shape => Variant(shape, 2)), Variant(new(new(128, KvFormat.K8V4), 4), 4), Variant(new(new(64, KvFormat.Int8), 3), 4)];

    private int SharedBytes(bool clusters) => 2 * sizeof(int) * _pool * (clusters ? 1 + _group : 1);

    /// <summary>Floats of one row and head at <see cref="SelectParams.Scores"/>.</summary>
    public static int ScoreFloats(int group, int pool) => 2 * group * pool;

    public void Launch(CudaStream stream, int rows, in SelectParams parameters)
    {
        var heads = rows * parameters.Kv.RetrievalHeads;
        var clusters = heads * Cluster <= _multiprocessors;
        var (fewest, most) = ((_pool + Warps * PagesOfWarp - 1) / (Warps * PagesOfWarp), (_pool + Warps - 1) / Warps);
        var blocks = clusters ? Cluster : Math.Clamp(_multiprocessors * BlocksPerMultiprocessor / Math.Max(heads, 1), fewest, most);
        _kernel.Launch(stream, new(blocks, Threads, parameters.Kv.RetrievalHeads, rows, SharedBytes(clusters), clusters ? Cluster : 1, OverlapPrevious: true), parameters);
    }

    private static KernelVariant Variant(AttentionShape shape, int bits) =>
        new("select/select_refine.cu", [.. shape.Defines, $"SKETCH_BITS={(shape.Layout.KeyBits == 16 ? 16 : bits)}"]);
}
