using LServe.Cuda.Driver;
using LServe.Cuda.Jit;

namespace LServe.Cuda.Launch;

/// <summary>How pages are chosen; values as in the kernels.</summary>
internal enum PagePolicy
{
    /// <summary>Upper bounds from maxima and minima (Quest, arXiv 2406.10774; LServe, section 3.5).</summary>
    Quest = 1,

    /// <summary>Mean plus lambda deviations of the products (UNIQUE, arXiv 2605.27740).</summary>
    Moments = 2,

    /// <summary>Moments choose candidates, the high bits of the keys' codes choose among them in every step.</summary>
    TwoStage = 3,
}

/// <summary>Launches <c>kernels/select/select_score.cu</c>: scores from page statistics and the best pages, for rows whose choice is due.</summary>
internal sealed class SelectScore : IKernelFamily
{
    private const int Threads = 256, PagesPerBlock = 32, BlocksPerMultiprocessor = 2;
    private readonly CudaKernel _kernel;
    private readonly int _maxPages, _resident;

    /// <param name="maxPages">Pages of the longest sequence.</param>
    public SelectScore(KernelLibrary library, AttentionShape shape, int maxPages)
    {
        (_maxPages, _resident) = (maxPages, library.Context.Multiprocessors * BlocksPerMultiprocessor);
        _kernel = library.Kernel(Variant(shape), "select_score", SharedBytes(maxPages));
    }

    public static IReadOnlyList<KernelVariant> Variants { get; } = [.. AttentionShape.Served.Select(Variant)];

    /// <summary>Floats of one row and head at <see cref="SelectParams.Scores"/>: scores of each page, and each block's weight.</summary>
    public static int ScoreStride(int group, int maxPages) => group * ((maxPages + PagesPerBlock - 1) / PagesPerBlock) * (PagesPerBlock + 2);

    /// <param name="rows">Rows at <see cref="SelectParams.Renewing"/>.</param>
    /// <param name="pages">Pages of the longest of them.</param>
    public void Launch(CudaStream stream, int rows, int pages, in SelectParams parameters)
    {
        if (pages > _maxPages) throw new ArgumentOutOfRangeException(nameof(pages), pages, $"This launcher was made for at most {_maxPages} pages.");
        var blocks = Math.Clamp(_resident / Math.Max(rows * parameters.Kv.RetrievalHeads, 1), 1, (pages + PagesPerBlock - 1) / PagesPerBlock);
        var shape = new LaunchShape(blocks, Threads, parameters.Kv.RetrievalHeads, rows, SharedBytes(pages), OverlapPrevious: true);
        _kernel.Launch(stream, shape, parameters);
    }

    private static int SharedBytes(int pages) => pages * sizeof(uint);

    public static KernelVariant Variant(AttentionShape shape) => new("select/select_score.cu", shape.Defines);
}
