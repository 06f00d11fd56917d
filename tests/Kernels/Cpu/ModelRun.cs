using LServe.Inference;
using LServe.Model;

namespace LServe.Tests.Kernels.Cpu;

/// <summary>A forward pass on a backend with pages and sequences, without the engine.</summary>
internal sealed class ModelRun : IDisposable
{
    public const int MaxRows = 512;

    private readonly IBackend _backend;
    private readonly LlamaForward _forward;
    private readonly StepPlan _plan = new();
    private readonly int _vocabulary;
    private int _nextPage;

    /// <param name="sparse">What sparse sequences do; null: there are none.</param>
    public ModelRun(IBackend backend, ModelConfig config, ModelWeights weights, KvPrecision precision, int pages, LServeOptions? sparse = null, HeadPattern? pattern = null)
    {
        (_backend, _vocabulary) = (backend, config.VocabularySize);
        _forward = new LlamaForward(backend, config, weights, MaxRows);
        var heads = pattern is null ? HeadLayout.AllRetrieval(config.Layers, config.KvHeads) : HeadLayout.Of(pattern);
        Geometry = new(config.Layers, config.KvHeads, config.HeadDim, precision, pages)
        {
            Heads = heads, StreamingPages = heads.AnyStreams ? pages : 0, LServe = sparse, Centres = pattern?.Centres,
            GroupSize = config.GroupSize, ChannelBlock = backend.Info.ChannelBlock,
        };
        backend.AllocateKv(Geometry);
    }

    public KvGeometry Geometry { get; }

    public TwoWayPageTable Table(int tokens)
    {
        var table = new TwoWayPageTable();
        for (; table.Capacity < tokens; _nextPage++)
        {
            table.Add(_nextPage);
            if (Geometry.Heads.AnyStreams) table.AddStreaming(_nextPage);
        }
        return table;
    }

    /// <summary>Pages may be used again, with whatever is in them.</summary>
    public void ForgetTables() => _nextPage = 0;

    /// <summary>One step of whatever the caller adds; logits, one array a row.</summary>
    public float[][] Step(Action<StepPlan> add)
    {
        _plan.Clear();
        add(_plan);
        var logits = _forward.Run(_plan);
        var rows = new float[_plan.LogitRows.Length][];
        for (var i = 0; i < rows.Length; i++) rows[i] = logits.Slice(i * _vocabulary, _vocabulary).ToArray();
        return rows;
    }

    /// <summary>Reads a prompt in chunks of at most <paramref name="chunk"/> rows.</summary>
    public float[][] Prefill(TwoWayPageTable table, int[] tokens, LogitChoice logits, int chunk = MaxRows, SelectionState? selection = null)
    {
        var rows = new List<float[]>();
        for (var at = 0; at < tokens.Length; at += chunk)
        {
            var count = Math.Min(chunk, tokens.Length - at);
            var choice = logits == LogitChoice.Last && at + count < tokens.Length ? LogitChoice.None : logits;
            rows.AddRange(Step(plan => plan.AddPrefill(table, at, tokens.AsSpan(at, count), choice, selection)));
        }
        return [.. rows];
    }

    public float[] Decode(TwoWayPageTable table, int position, int token) => Step(plan => plan.AddDecode(table, position, token, true))[0];

    public void Dispose()
    {
        _forward.Dispose();
        _backend.Dispose();
    }
}
