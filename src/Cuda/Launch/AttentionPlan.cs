using LServe.Cuda.Driver;
using LServe.Cuda.Jit;

namespace LServe.Cuda.Launch;

/// <summary>
/// Launches <c>kernels/attention/attention_plan.cu</c> and says the same in C#: which part of which row's page list each block of attention reads.
/// Parts follow from a row's own length, so that no batch changes the order of a sum.
/// </summary>
internal sealed class AttentionPlan(KernelLibrary library) : IKernelFamily
{
    public const int MostSplits = 64;

    private const int Threads = 32, ShortSplit = 4, LongSplit = 16;
    private static readonly KernelVariant Variant = new("attention/attention_plan.cu");
    private readonly CudaKernel _kernel = library.Kernel(Variant, "attention_plan");

    public static IReadOnlyList<KernelVariant> Variants { get; } = [Variant];

    public void Launch(CudaStream stream, in AttentionPlanParams parameters) => _kernel.Launch(stream, new(1, Threads, OverlapPrevious: true), parameters);

    /// <summary>Pages of one part of a list.</summary>
    public static int SplitPages(int entries) =>
        entries <= ShortSplit * MostSplits ? ShortSplit : Math.Max(LongSplit, (entries + ShortSplit * MostSplits - 1) / (ShortSplit * MostSplits) * ShortSplit);

    /// <summary>Pages that a retrieval head reads at a position.</summary>
    /// <param name="keep">The most it may read; 0: all.</param>
    public static int RetrievalPages(int position, int keep)
    {
        var pages = position / KvPageLayout.PageTokens + 1;
        return keep > 0 ? Math.Min(keep, pages) : pages;
    }

    /// <summary>Pages that a streaming head reads: those of the sink, then those of the local window.</summary>
    public static int StreamingPages(int position, int sink, int local)
    {
        var pages = position / KvPageLayout.PageTokens + 1;
        var sinkPages = Math.Min((sink + KvPageLayout.PageTokens - 1) / KvPageLayout.PageTokens, pages);
        return sinkPages + Math.Max(0, pages - Math.Max(sinkPages, Math.Max(0, position - local + 1) / KvPageLayout.PageTokens));
    }

    /// <summary>Parts of a list.</summary>
    public static int Splits(int entries) => (entries + SplitPages(entries) - 1) / SplitPages(entries);

    /// <summary>Appends a row's parts.</summary>
    public static void Add(List<DecodeItem> items, int row, int sequence, int position, int entries, bool dense = false)
    {
        var pages = SplitPages(entries);
        var splits = (entries + pages - 1) / pages;
        for (var s = 0; s < splits; s++) items.Add(new(row, sequence, position, s * pages, Math.Min(pages, entries - s * pages), s, splits, dense ? 1 : 0));
    }

    /// <summary>The whole plan, as the kernel writes it.</summary>
    /// <param name="dense">Rows that see everything.</param>
    public static (List<DecodeItem> Retrieval, List<DecodeItem> Streaming) Compute(
        ReadOnlySpan<int> positions, ReadOnlySpan<int> sequences, int keep, int sink, int local, Func<int, bool>? dense = null)
    {
        List<DecodeItem> retrieval = [], streaming = [];
        for (var row = 0; row < positions.Length; row++)
        {
            var all = dense?.Invoke(row) ?? false;
            Add(retrieval, row, sequences[row], positions[row], RetrievalPages(positions[row], all ? 0 : keep), all);
            Add(streaming, row, sequences[row], positions[row], StreamingPages(positions[row], sink, all ? int.MaxValue : local), all);
        }
        return (retrieval, streaming);
    }
}
