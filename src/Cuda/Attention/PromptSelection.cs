using LServe.Cuda.Driver;
using LServe.Cuda.Launch;
using LServe.Cuda.State;
using LServe.Inference;

namespace LServe.Cuda.Attention;

/// <summary>Which pages prompts' query blocks past the threshold read: buffers that a step's blocks share, used anew in every layer.</summary>
internal sealed class PromptSelection(KernelLibrary library, AttentionShape shape, KvGeometry geometry) : IDisposable
{
    private readonly LServeOptions _options = geometry.LServe!;
    private readonly Scratch _scores = new(), _lists = new(), _counts = new();
    private SelectPrompt? _kernel;

    /// <summary>Pages kept.</summary>
    public int Width => _options.PrefillBudget / KvGeometry.PageTokens;
    public ulong Lists => _lists.Address;
    public ulong Counts => _counts.Address;

    /// <summary>Whether the block whose first row is at <paramref name="position"/> must choose.</summary>
    public bool Chooses(int position) => position >= _options.PrefillThreshold && position / KvGeometry.PageTokens > Width;

    public void Begin(StepInputs inputs, CudaStream stream)
    {
        var (_, lists) = inputs.ChoosingBlocks;
        if (lists == 0) return;
        var pages = inputs.LastChoosing / KvGeometry.PageTokens;
        if (_kernel is null || _kernel.Pages < pages) _kernel = new(library, shape, Math.Max(pages, 2 * (_kernel?.Pages ?? 0)));
        var heads = (long)lists * geometry.KvHeads;
        _scores.Reserve(heads * (_kernel.PreparedBytes + _kernel.FactorBytes + _kernel.ScoreBytes + _kernel.TotalBytes + _kernel.WeightBytes), stream);
        _lists.Reserve(heads * Width * sizeof(int), stream);
        _counts.Reserve(heads * sizeof(int), stream);
    }

    /// <param name="parameters">With pages and queries of the layer.</param>
    public void Launch(StepInputs inputs, SelectPromptParams parameters, CudaStream stream)
    {
        var (blocks, lists) = inputs.ChoosingBlocks;
        if (lists == 0 || parameters.Kv.RetrievalHeads == 0) return;
        var heads = (ulong)(lists * geometry.KvHeads);
        parameters.Blocks = blocks;
        parameters.Prepared = _scores.Address;
        parameters.Factors = parameters.Prepared + heads * (ulong)_kernel!.PreparedBytes;
        parameters.Scores = parameters.Factors + heads * (ulong)_kernel.FactorBytes;
        parameters.Totals = parameters.Scores + heads * (ulong)_kernel.ScoreBytes;
        parameters.Weights = parameters.Totals + heads * (ulong)_kernel.TotalBytes;
        (parameters.List, parameters.ListCount, parameters.ListWidth) = (Lists, Counts, Width);
        parameters.Pages = _kernel.Pages;
        (parameters.SinkPages, parameters.RecentPages, parameters.Deviation) = (_options.SinkPages, _options.RecentPages, _options.Deviation);
        _kernel.Launch(stream, lists, parameters);
    }

    /// <summary>A list of the layer that chose last.</summary>
    public int[] Read(int line, CudaStream stream)
    {
        stream.Synchronize();
        var (counts, pages) = (_counts.Read(line + 1), _lists.Read((line + 1) * Width));
        return pages[(line * Width)..(line * Width + counts[line])];
    }

    public void Dispose()
    {
        foreach (var scratch in new[] { _scores, _lists, _counts }) scratch.Dispose();
    }
}
