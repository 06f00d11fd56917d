using LServe.Cuda.Driver;
using LServe.Cuda.Jit;

namespace LServe.Cuda.Launch;

/// <summary>What page statistics are kept.</summary>
internal enum PageStatistics
{
    None = 0,

    /// <summary>Maximum and minimum of each channel.</summary>
    Extremes = 1,

    /// <summary>Mean and standard deviation of each channel.</summary>
    Moments = 2,
}

/// <summary>Launches <c>kernels/attention/attention_append.cu</c>: new tokens' queries and keys turned, keys and values into their pages, with the statistics.</summary>
internal sealed class AttentionAppend(KernelLibrary library, KvPageLayout layout) : IKernelFamily
{
    private const int Threads = 128;
    private readonly CudaKernel _kernel = library.Kernel(Variant(layout), "attention_append");

    public static IReadOnlyList<KernelVariant> Variants { get; } = [.. AttentionShape.Served.Select(shape => Variant(shape.Layout)).Distinct()];

    /// <param name="runs">Runs at <see cref="AttentionAppendParams.Runs"/>.</param>
    public void Launch(CudaStream stream, int runs, in AttentionAppendParams parameters) =>
        _kernel.Launch(stream, new(runs, Threads, GridY: parameters.Kv.KvHeads, OverlapPrevious: true), parameters);

    /// <summary>
    /// Cuts rows first … first + count − 1 of a sequence, the first of them at <paramref name="position"/>, at logical pages. A launch reads and
    /// writes a sequence's open statistics once: where both ends lie within logical pages, the last run goes to <paramref name="later"/>, a launch of its own.
    /// </summary>
    public static void AddRuns(List<TokenRun> runs, List<TokenRun> later, int first, int count, int position, int sequence)
    {
        var end = position + count;
        for (var at = position; at < end;)
        {
            var stop = Math.Min(end, (at / KvPageLayout.LogicalTokens + 1) * KvPageLayout.LogicalTokens);
            var openBoth = at != position && position % KvPageLayout.LogicalTokens != 0 && stop % KvPageLayout.LogicalTokens != 0;
            (openBoth ? later : runs).Add(new(first + at - position, stop - at, at, sequence));
            at = stop;
        }
    }

    public static KernelVariant Variant(KvPageLayout layout) => new("attention/attention_append.cu", layout.Defines);
}
