using LServe.Cuda.Driver;
using LServe.Cuda.Jit;
using LServe.Cuda.Launch;
using LServe.Cuda.State;
using LServe.Inference;
using LServe.Model;

namespace LServe.Cuda.Attention;

/// <summary>
/// LServe's attention on the device: append with statistics, page choice, decode attention over two-way tables, prompts. One launch of each
/// serves all sequences of a step in a layer, dense and sparse ones together.
/// </summary>
internal sealed class SparseAttention : IDisposable
{
    private readonly KvGeometry _geometry;
    private readonly AttentionShape _shape;
    private readonly AttentionAppend _append;
    private readonly AttentionPlan _plan;
    private readonly AttentionDecode _decode;
    private readonly AttentionPrefill _prefill;
    private readonly SelectRefine? _refine;
    private readonly PromptSelection? _prompts;
    private readonly KernelLibrary _library;
    private readonly Scratch _items = new(), _partial = new(), _arrived = new(), _scores = new();
    private readonly Func<int, bool> _chooses = _ => false;
    private readonly int _keep;
    private SelectScore? _score;
    private int _scorePages, _streamingItemsAt;
    private DecodeShape _step;
    private int _rows;

    /// <exception cref="NotSupportedException">The kernels can't do what the geometry asks for.</exception>
    public SparseAttention(KernelLibrary library, KvGeometry geometry)
    {
        (_library, _geometry, _shape) = (library, geometry, AttentionSupport.ShapeOf(geometry));
        Options = geometry.LServe is { Policy: not SelectionPolicy.All } options ? options : null;
        _keep = Options?.BudgetPages ?? 0;
        library.Prepare(VariantsOf(_shape, Options));
        (_append, _plan, _decode, _prefill) = (new(library, _shape.Layout), new(library), new(library, _shape), new(library, _shape));
        if (Options is { Policy: SelectionPolicy.TwoStage }) _refine = new(library, _shape, Options.SketchBits, Pool);
        if (Options is not null)
        {
            _prompts = new(library, _shape, geometry);
            _chooses = _prompts.Chooses;
        }
        Pools = new(geometry);
        Lines = new(geometry);
    }

    public KvPools Pools { get; }
    public SequenceLines Lines { get; }
    public StepInputs Inputs { get; } = new();

    /// <summary>Changes whenever addresses do: graphs captured before are void.</summary>
    public int Generation => _generation + Lines.Generation + Inputs.Generation;

    /// <summary>Null where no pages are chosen.</summary>
    private LServeOptions? Options { get; }
    private int Pool => Options!.KeptPages + Options.RecentPages;
    private int _generation;

    /// <summary>Brings the step's tables and rows to the device, and makes room.</summary>
    public DecodeShape Begin(StepPlan plan, CudaStream stream)
    {
        _rows = plan.Rows;
        Lines.Begin(plan, stream);
        Inputs.Upload(plan, Lines.OfSlice, _chooses, stream);
        _prompts?.Begin(Inputs, stream);
        _step = DecodeShape.Of(plan, _geometry.LServe, _keep);
        if (_step.Rows > 0) Reserve(stream);
        return _step;
    }

    /// <summary>Who reads which pages, for all layers. The first launch of a step.</summary>
    public void Plan(CudaStream stream)
    {
        if (_step.Rows == 0) return;
        _plan.Launch(stream, new()
        {
            Position = Inputs.Positions, Sequence = Inputs.Lines, Mode = Inputs.Modes, Retrieval = RetrievalItems, Streaming = StreamingItems, Counts = Counts,
            Rows = _step.Rows, Keep = _keep, Sink = _geometry.LServe?.Sink ?? 0, Local = _geometry.LServe?.Local ?? 1,
        });
    }

    /// <summary>Turns queries in place, and appends keys and values.</summary>
    /// <param name="qkv">[rows, (H + 2G)·D].</param>
    /// <param name="frequencies">[D / 2] float64.</param>
    public void Append(AttentionLayer layer, ulong qkv, ulong frequencies, CudaStream stream)
    {
        var config = layer.Config;
        var pages = Pools[layer.Index];
        var keys = qkv + (ulong)(layer.Config.QueryHeads * _geometry.HeadDim * sizeof(float));
        var parameters = new AttentionAppendParams
        {
            Kv = Kv(pages), Queries = qkv, Keys = keys, Values = keys + (ulong)(layer.Config.KvHeads * _geometry.HeadDim * sizeof(float)),
            Centre = pages.Centres, Open = Lines.Selections?.Open(pages.FirstRetrieval) ?? 0, Runs = Inputs.FirstRuns.Address,
            RowStride = (ulong)config.QkvSize, Statistics = (int)(_geometry.LServe?.Statistics ?? 0),
            InverseFrequencies = frequencies, Halves = config.Rope.Style == RopeStyle.Halves ? 1 : 0, Magnitude = config.Rope.Magnitude, Epsilon = config.RmsEpsilon,
            QueryNorm = ((CudaVector?)layer.QueryNorm)?.Address ?? 0, KeyNorm = ((CudaVector?)layer.KeyNorm)?.Address ?? 0, Group = config.GroupSize,
        };
        _append.Launch(stream, Inputs.FirstRuns.Count, parameters);
        if (Inputs.LaterRuns.Count == 0) return;
        parameters.Runs = Inputs.LaterRuns.Address;
        _append.Launch(stream, Inputs.LaterRuns.Count, parameters);
    }

    /// <summary>Decode rows and prompts' query blocks choose their pages.</summary>
    public void Select(AttentionLayer layer, ulong qkv, CudaStream stream)
    {
        var pages = Pools[layer.Index];
        if (Options is not { } options) return;
        if (_step.Rows > 0 && pages.RetrievalHeads > 0) SelectForRows(layer, pages, options, qkv, stream);
        _prompts!.Launch(Inputs, new() { Kv = Kv(pages), Queries = qkv, QueryStride = (ulong)layer.Config.QkvSize, Policy = (int)PolicyOf(options.Policy) }, stream);
    }

    private void SelectForRows(AttentionLayer layer, in LayerPages pages, LServeOptions options, ulong qkv, CudaStream stream)
    {
        var selections = Lines.Selections!;
        var (list, listCount, listWidth) = selections.Lists(pages.FirstRetrieval);
        var parameters = new SelectParams
        {
            Kv = Kv(pages), Queries = qkv, Open = selections.Open(pages.FirstRetrieval), Renewing = Inputs.Renewing, Scores = _scores.Address,
            Candidates = selections.Kept(pages.FirstRetrieval), CandidateCount = selections.Counts(pages.FirstRetrieval),
            List = list, ListCount = listCount, Arrived = _arrived.Address, QueryStride = (ulong)layer.Config.QkvSize,
            ScoreStride = SelectScore.ScoreStride(_shape.Group, _step.Pages), CandidateWidth = options.KeptPages, ListWidth = listWidth,
            SinkPages = options.SinkPages, RecentPages = options.RecentPages, Policy = (int)PolicyOf(options.Policy), Deviation = options.Deviation,
            Settled = _step.Renewing > 0 ? 0 : 1,
        };
        if (_step.Renewing > 0) _score!.Launch(stream, _step.Renewing, _step.Pages, parameters);
        _refine?.Launch(stream, _step.Rows, parameters);
    }

    /// <param name="output">[rows, H·D] binary16.</param>
    public void Attend(AttentionLayer layer, ulong qkv, ulong output, CudaStream stream)
    {
        var pages = Pools[layer.Index];
        if (_step.Rows > 0) Decode(layer, pages, qkv, output, stream);
        if (Inputs.PromptBlocks.Count == 0) return;
        _prefill.Launch(stream, new()
        {
            Kv = Kv(pages), Queries = qkv, Output = output, Blocks = Inputs.PromptBlocks.Address, BlockCount = Inputs.PromptBlocks.Count,
            List = _prompts?.Lists ?? 0, ListCount = _prompts?.Counts ?? 0, ListWidth = _prompts?.Width ?? 0,
            QueryStride = (ulong)layer.Config.QkvSize, OutputStride = (ulong)(layer.Config.QueryHeads * _geometry.HeadDim),
            Transposed = IsOperand(layer.Config) ? 1 : 0,
        });
    }

    /// <summary>Products take rows of whole blocks of 32; no other model's weights are loaded.</summary>
    private static bool IsOperand(ModelConfig config) => config.QueryHeads * config.HeadDim % 32 == 0;

    /// <summary>Pages that a retrieval head of a slice chose in the last step, in the layer that chose last; for tests.</summary>
    public int[] ChosenPages(int slice, int layer, int head, int block, CudaStream stream)
    {
        var place = _geometry.Heads[layer, head].Place;
        if (Inputs.BlockOf(Lines.OfSlice[slice], block) is not { } rows) return Lines.Selections!.ReadList(Lines.OfSlice[slice], place);
        return rows.List < 0
            ? [.. Enumerable.Range(0, rows.Position / KvGeometry.PageTokens)]
            : _prompts!.Read(rows.List * Pools[layer].RetrievalHeads + place - Pools[layer].FirstRetrieval, stream);
    }

    private void Decode(AttentionLayer layer, in LayerPages pages, ulong qkv, ulong output, CudaStream stream)
    {
        var (list, listCount, listWidth) = Options is null ? default : Lines.Selections!.Lists(pages.FirstRetrieval);
        _decode.Launch(stream, BlocksOf(pages), new()
        {
            Kv = Kv(pages), Queries = qkv, Output = output, Retrieval = RetrievalItems, Streaming = StreamingItems, Counts = Counts,
            List = list, ListCount = listCount, ListWidth = listWidth, Partial = _partial.Address, Arrived = _arrived.Address,
            QueryStride = (ulong)layer.Config.QkvSize, OutputStride = (ulong)(layer.Config.QueryHeads * _geometry.HeadDim),
            Settled = _step.Renewing > 0 || _refine is not null ? 0 : 1,
        });
    }

    private int BlocksOf(in LayerPages pages) => _step.RetrievalItems * pages.RetrievalHeads + _step.StreamingItems * pages.StreamingHeads;

    private ulong Counts => _items.Address;
    private ulong RetrievalItems => _items.Address + ItemBytes;
    private ulong StreamingItems => _items.Address + (ulong)_streamingItemsAt * ItemBytes;
    private const int ItemBytes = 32;

    private void Reserve(CudaStream stream)
    {
        var moved = false;
        if (1 + _step.RetrievalItems > _streamingItemsAt)
        {
            _streamingItemsAt = Math.Max(2 * _streamingItemsAt, 1 + _step.RetrievalItems);
            moved = true;
        }
        moved |= _items.Reserve((long)(_streamingItemsAt + _step.StreamingItems) * ItemBytes, stream);
        var blocks = Math.Max(_step.RetrievalItems, _step.StreamingItems) * _geometry.KvHeads;
        moved |= _partial.Reserve(AttentionDecode.PartialFloats(_shape, blocks) * sizeof(float), stream);
        moved |= _arrived.Reserve((long)_step.Rows * _geometry.KvHeads * sizeof(int), stream);
        if (Options is not null) moved |= ReserveScores(stream);
        if (moved) _generation++;
    }

    private bool ReserveScores(CudaStream stream)
    {
        if (_step.Pages > _scorePages) _score = new(_library, _shape, _scorePages = _step.Pages);
        var floats = Math.Max(SelectScore.ScoreStride(_shape.Group, _step.Pages), _refine is null ? 0 : SelectRefine.ScoreFloats(_shape.Group, Pool));
        return _scores.Reserve((long)floats * _step.Rows * _geometry.KvHeads * sizeof(float), stream);
    }

    private KvLayer Kv(in LayerPages pages) => new()
    {
        Retrieval = pages.Retrieval, Streaming = pages.Streaming, RetrievalStride = pages.RetrievalStride, StreamingStride = pages.StreamingStride,
        Heads = pages.Heads, RetrievalTable = Lines.Retrieval, StreamingTable = Lines.Streaming,
        Position = Inputs.Positions, Sequence = Inputs.Lines, Mode = Inputs.Modes, RetrievalWidth = Lines.Width, StreamingWidth = Lines.Width,
        KvHeads = _geometry.KvHeads, RetrievalHeads = pages.RetrievalHeads, Sink = _geometry.LServe?.Sink ?? 0, Local = _geometry.LServe?.Local ?? 1,
        RetrievalBytes = (int)_geometry.HeadPageBytes(KvPool.Retrieval), StateHeads = Lines.Selections?.Heads ?? 0,
    };

    private static PagePolicy PolicyOf(SelectionPolicy policy) => policy switch
    {
        SelectionPolicy.Quest => PagePolicy.Quest,
        SelectionPolicy.Moments => PagePolicy.Moments,
        _ => PagePolicy.TwoStage,
    };

    private static IEnumerable<KernelVariant> VariantsOf(AttentionShape shape, LServeOptions? options)
    {
        yield return AttentionAppend.Variant(shape.Layout);
        yield return AttentionDecode.Variant(shape);
        yield return AttentionPrefill.Variant(shape);
        if (options is null) yield break;
        yield return SelectScore.Variant(shape);
        yield return SelectPrompt.Variant(shape);
        if (options.Policy == SelectionPolicy.TwoStage) yield return SelectRefine.Variant(shape, options.SketchBits);
    }

    public void Dispose()
    {
        foreach (var scratch in new[] { _items, _partial, _arrived, _scores }) scratch.Dispose();
        _prompts?.Dispose();
        Inputs.Dispose();
        Lines.Dispose();
        Pools.Dispose();
    }
}
