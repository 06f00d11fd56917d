using LServe.Cuda.Driver;
using LServe.Cuda.Launch;

namespace LServe.Bench.Kernels;

/// <param name="Rows">Sequences decoding together.</param>
/// <param name="Context">Tokens of each.</param>
/// <param name="Budget">Tokens a retrieval head reads; 0: all.</param>
internal sealed record AttentionSetting(KvFormat Format, int Rows, int Context, PagePolicy Policy, int Budget);

/// <summary>The pages and buffers of one layer, full of random numbers, and its launches.</summary>
internal sealed class AttentionLayer : IDisposable
{
    public const int QueryHeads = 32, KvHeads = 8, HeadDim = 128, Budget = 4096, Sink = 128, Local = 256;

    private const int Group = QueryHeads / KvHeads, CandidateFactor = 4, SketchBits = 2, SinkPages = 1, RecentPages = 2;

    private readonly List<DeviceMemory> _memory = [];
    private readonly Device _device;
    private readonly AttentionSetting _setting;
    private readonly KvPageLayout _layout;
    private readonly int _retrievalHeads, _pages, _keep, _candidates, _blocks;
    private readonly AttentionAppend _append;
    private readonly AttentionDecode _decode;
    private readonly SelectScore _score;
    private readonly SelectRefine _refine;
    private readonly AttentionAppendParams _appendParams;
    private readonly AttentionDecodeParams _decodeParams, _settledDecodeParams;
    private readonly SelectParams _selectParams, _settledSelectParams;

    public AttentionLayer(Device device, AttentionSetting setting, int retrievalHeads)
    {
        (_device, _setting, _retrievalHeads) = (device, setting, retrievalHeads);
        _layout = new(HeadDim, setting.Format);
        var shape = new AttentionShape(_layout, Group);
        _pages = setting.Context / KvPageLayout.PageTokens;
        _keep = setting.Budget / KvPageLayout.PageTokens;
        _candidates = _keep * (setting.Policy == PagePolicy.TwoStage ? CandidateFactor : 1);
        (_append, _decode) = (new(device.Library, _layout), new(device.Library, shape));
        (_score, _refine) = (new(device.Library, shape, _pages), new(device.Library, shape, SketchBits, _candidates + RecentPages));
        var positions = Enumerable.Repeat(setting.Context - 1, setting.Rows).ToArray();
        var sequences = Enumerable.Range(0, setting.Rows).ToArray();
        var (retrieval, streaming) = AttentionPlan.Compute(positions, sequences, _keep, Sink, Local);
        _blocks = retrieval.Count * retrievalHeads + streaming.Count * (KvHeads - retrievalHeads);
        var position = Upload(positions);
        var kv = Layer(position, Upload(sequences), Upload(Array.ConvertAll(sequences, _ => (int)RowMode.Sparse)));
        var queries = Random((long)setting.Rows * QueryHeads * HeadDim * 2);
        var open = Random((long)setting.Rows * KvHeads * 4 * HeadDim);
        _appendParams = AppendArguments(kv, open, sequences);
        _selectParams = SelectArguments(kv, queries, open);
        _decodeParams = DecodeArguments(kv, queries, shape, retrieval, streaming);
        _settledSelectParams = _selectParams with { Settled = 1 };
        _settledDecodeParams = _decodeParams with { Settled = 1 };
        if (_keep == 0) return;
        Score();
        if (setting.Policy == PagePolicy.TwoStage) Refine();
    }

    public long PoolBytes => (long)_setting.Rows * _pages * _retrievalHeads * _layout.RetrievalBytes;
    public long AppendBytes => (long)_setting.Rows * KvHeads * (8 * HeadDim + _layout.StreamingBytes / KvPageLayout.PageTokens) + (long)_setting.Rows * _retrievalHeads * 16 * HeadDim;
    public long ScoreBytes => (long)_setting.Rows * _retrievalHeads * _pages * 16 * HeadDim;
    public long RefineBytes => (long)_setting.Rows * _retrievalHeads * Math.Min(_candidates, _pages) * KvPageLayout.PageTokens * (HeadDim * SketchBits / 8 + 4);

    public long DecodeBytes
    {
        get
        {
            var retrieval = (long)(_keep > 0 ? Math.Min(_keep, _pages) : _pages) * _retrievalHeads;
            return _setting.Rows * (retrieval + (KvHeads - _retrievalHeads) * (Sink + Local) / KvPageLayout.PageTokens) * _layout.StreamingBytes;
        }
    }

    public void Append() => _append.Launch(_device.Stream, _setting.Rows, _appendParams);
    public void Score() => _score.Launch(_device.Stream, _setting.Rows, _pages, _selectParams);
    public void Refine() => _refine.Launch(_device.Stream, _setting.Rows, _selectParams);
    public void Decode() => _decode.Launch(_device.Stream, _blocks, _decodeParams);

    /// <summary>What a layer does in a decode step. Lists that no kernel of this step makes are settled.</summary>
    public void Step(bool renew)
    {
        var refines = _setting.Policy == PagePolicy.TwoStage;
        Append();
        if (renew) Score();
        if (refines) _refine.Launch(_device.Stream, _setting.Rows, renew ? _selectParams : _settledSelectParams);
        _decode.Launch(_device.Stream, _blocks, renew || refines ? _decodeParams : _settledDecodeParams);
    }

    private KvLayer Layer(ulong position, ulong sequence, ulong mode)
    {
        var streamingHeads = KvHeads - _retrievalHeads;
        var width = (Sink + 63) / 64 + (Local + 63) / 64 + 1;
        return new()
        {
            Retrieval = Random(PoolBytes / 2), Streaming = Random((long)_setting.Rows * width * streamingHeads * _layout.StreamingBytes / 2),
            RetrievalStride = (ulong)(_retrievalHeads * _layout.RetrievalBytes), StreamingStride = (ulong)(streamingHeads * _layout.StreamingBytes),
            Heads = Upload(Enumerable.Range(0, KvHeads).ToArray()), RetrievalTable = Upload(Shuffled(_setting.Rows * _pages)), StreamingTable = Upload(Shuffled(_setting.Rows * width)),
            Position = position, Sequence = sequence, Mode = mode, RetrievalBytes = _layout.RetrievalBytes, StateHeads = _retrievalHeads, RetrievalWidth = _pages, StreamingWidth = width,
            KvHeads = KvHeads, RetrievalHeads = _retrievalHeads, Sink = Sink, Local = Local,
        };
    }

    private AttentionAppendParams AppendArguments(KvLayer kv, ulong open, int[] sequences) => new()
    {
        Kv = kv, Keys = Random((long)_setting.Rows * KvHeads * HeadDim * 2), Values = Random((long)_setting.Rows * KvHeads * HeadDim * 2),
        Centre = Random(KvHeads * HeadDim * 2), Open = open, Runs = Upload(sequences.Select(s => new TokenRun(s, 1, _setting.Context - 1, s)).ToArray()),
        RowStride = KvHeads * HeadDim, Statistics = (int)(_setting.Policy == PagePolicy.Quest ? PageStatistics.Extremes : PageStatistics.Moments),
    };

    private SelectParams SelectArguments(KvLayer kv, ulong queries, ulong open)
    {
        var heads = _setting.Rows * _retrievalHeads;
        var stride = SelectScore.ScoreStride(Group, _pages);
        return new()
        {
            Kv = kv, Queries = queries, Open = open, Renewing = Upload(Enumerable.Range(0, _setting.Rows).ToArray()),
            Scores = Random(2L * heads * Math.Max(stride, SelectRefine.ScoreFloats(Group, _candidates + RecentPages))),
            Candidates = Upload(new int[heads * Math.Max(1, _candidates)]), CandidateCount = Upload(new int[heads]),
            List = Upload(new int[heads * Math.Max(1, _keep)]), ListCount = Upload(new int[heads]), Arrived = Upload(new int[heads]), QueryStride = QueryHeads * HeadDim,
            ScoreStride = stride, CandidateWidth = _candidates, ListWidth = _keep, SinkPages = SinkPages, RecentPages = RecentPages,
            Policy = (int)_setting.Policy, Deviation = 1,
        };
    }

    private AttentionDecodeParams DecodeArguments(KvLayer kv, ulong queries, AttentionShape shape, List<DecodeItem> retrieval, List<DecodeItem> streaming) => new()
    {
        Kv = kv, Queries = queries, Output = Random((long)_setting.Rows * QueryHeads * HeadDim),
        Retrieval = Upload(retrieval.ToArray()), Streaming = Upload(streaming.ToArray()), Counts = Upload(new[] { retrieval.Count, streaming.Count }),
        List = _keep > 0 ? _selectParams.List : 0, ListCount = _keep > 0 ? _selectParams.ListCount : 0, ListWidth = _keep,
        Partial = Random(2 * AttentionDecode.PartialFloats(shape, _blocks)), Arrived = Upload(new int[_setting.Rows * KvHeads]),
        QueryStride = QueryHeads * HeadDim, OutputStride = QueryHeads * HeadDim,
    };

    private ulong Upload<T>(T[] values) where T : unmanaged
    {
        var memory = DeviceMemory.Allocate((long)values.Length * System.Runtime.CompilerServices.Unsafe.SizeOf<T>());
        memory.Upload<T>(values);
        _memory.Add(memory);
        return memory.Address;
    }

    /// <summary>As many random binary16 numbers, also where the kernels see codes or, two by two, float32.</summary>
    private ulong Random(long halves)
    {
        _memory.Add(_device.RandomHalves(Math.Max(halves, 2)));
        return _memory[^1].Address;
    }

    private static int[] Shuffled(int count)
    {
        var pages = Enumerable.Range(0, count).ToArray();
        new Random(1).Shuffle(pages);
        return pages;
    }

    public void Dispose()
    {
        foreach (var memory in _memory) memory.Dispose();
    }
}
