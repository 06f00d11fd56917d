using LServe.Cuda.Driver;
using LServe.Cuda.Jit;

namespace LServe.Cuda.Launch;

/// <summary>Launches <c>kernels/select/select_prompt.cu</c>: the pages that query blocks of prompts read of what came before them.</summary>
internal sealed class SelectPrompt : IKernelFamily
{
    private const int Threads = 256, ScoreThreads = Threads + 32, PagesPerBlock = 32, PagesPerGroup = 16, QueriesPerBlock = 8, QueriesPerStage = 64, Alignment = 1024;
    private readonly CudaKernel _prepare, _score, _total, _choose;
    private readonly int _queries, _channels;

    /// <param name="pages">Most pages before a block.</param>
    public SelectPrompt(KernelLibrary library, AttentionShape shape, int pages)
    {
        (Pages, _queries, _channels) = ((pages + PagesPerBlock - 1) / PagesPerBlock * PagesPerBlock, AttentionPrefill.BlockRows * shape.Group, shape.Layout.Channels);
        _prepare = library.Kernel(Variant(shape), "select_prompt_prepare");
        _score = library.Kernel(Variant(shape), "select_prompt_score", SharedBytes);
        _total = library.Kernel(Variant(shape), "select_prompt_total");
        _choose = library.Kernel(Variant(shape), "select_prompt_choose", Pages * sizeof(uint));
    }

    public static IReadOnlyList<KernelVariant> Variants { get; } = [.. AttentionShape.Served.Select(Variant)];

    /// <summary><see cref="SelectPromptParams.Pages"/>.</summary>
    public int Pages { get; }

    /// <summary>Bytes of one list's head at <see cref="SelectPromptParams.Prepared"/>, and likewise.</summary>
    public int PreparedBytes => _queries * 2 * _channels * sizeof(ushort);
    public int FactorBytes => _queries * sizeof(float);
    public int ScoreBytes => Pages * sizeof(float);
    public int TotalBytes => 2 * _queries * sizeof(float);
    public int WeightBytes => TotalBytes * (Pages / PagesPerGroup);

    /// <summary>A ring of queries, their factors and totals, as the kernel says.</summary>
    private int SharedBytes => Alignment + (_channels > 128 ? 2 : 3) * QueriesPerStage * (2 * _channels * sizeof(ushort) + 3 * sizeof(float));

    /// <param name="blocks">Blocks at <see cref="SelectPromptParams.Blocks"/>, each with a list.</param>
    public void Launch(CudaStream stream, int blocks, SelectPromptParams parameters)
    {
        var heads = parameters.Kv.RetrievalHeads;
        _prepare.Launch(stream, new(_queries / QueriesPerBlock, Threads, heads, blocks, OverlapPrevious: true), parameters);
        var scores = new LaunchShape(Pages / PagesPerBlock, ScoreThreads, heads, blocks, SharedBytes, OverlapPrevious: true);
        if (parameters.Policy == (int)PagePolicy.TwoStage)
        {
            parameters.Pass = 1;
            _score.Launch(stream, scores, parameters);
            _total.Launch(stream, new((_queries + Threads - 1) / Threads, Threads, heads, blocks, OverlapPrevious: true), parameters);
            parameters.Pass = 2;
        }
        _score.Launch(stream, scores, parameters);
        _choose.Launch(stream, new(1, Threads, heads, blocks, Pages * sizeof(uint), OverlapPrevious: true), parameters);
    }

    public static KernelVariant Variant(AttentionShape shape) => new("select/select_prompt.cu", shape.Defines);
}
