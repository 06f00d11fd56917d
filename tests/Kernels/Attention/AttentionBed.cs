using LServe.Cuda.Driver;
using LServe.Cuda.Launch;
using LServe.Tests.Kernels.Cuda;

namespace LServe.Tests.Kernels.Attention;

/// <summary>What a case is about.</summary>
/// <param name="Chunk">Prompt tokens that streaming heads' pages hold besides the window.</param>
internal sealed record AttentionCase(
    int[] Lengths, int HeadDim, int KvHeads, int Group, KvFormat Format, PagePolicy Policy, int Keep = 4, int Candidates = 4, int SketchBits = 2,
    int Sink = 64, int Local = 128, int Streaming = 1, int SinkPages = 1, int RecentPages = 2, float Deviation = 1, int Seed = 1, int Chunk = 0)
{
    public AttentionShape Shape => new(new(HeadDim, Format), Group);
    public int RetrievalHeads => KvHeads - Streaming;
    public int CandidatePages => Policy == PagePolicy.TwoStage ? Keep * Candidates : Keep;
    public int MaxPages => Lengths.Max() / 64 + 2;
}

/// <summary>One layer's pages on the device for several sequences of different lengths, filled token by token through the append kernel; pages and slots nobody wrote hold NaNs.</summary>
internal sealed class AttentionBed : IDisposable
{
    private readonly AttentionCase _case;
    private readonly List<DeviceMemory> _memory = [];
    private readonly DeviceMemory _retrieval, _streaming, _heads, _retrievalTable, _streamingTable, _open, _centre;
    private readonly Random _random;

    /// <param name="sameKeys">Whether every token has the same key.</param>
    public AttentionBed(AttentionCase c, bool sameKeys = false)
    {
        (_case, _random) = (c, new Random(c.Seed));
        var layout = c.Shape.Layout;
        Keys = [.. c.Lengths.Select(length => Heads(length, true))];
        if (sameKeys)
            foreach (var head in Keys.SelectMany(sequence => sequence)) Array.Fill(head, head[^1]);
        ValuesOf = [.. c.Lengths.Select(length => Heads(length, false))];
        Centre = [.. Enumerable.Range(0, c.KvHeads).Select(g => Enumerable.Range(0, c.HeadDim).Select(i => Keys[0][g].Average(k => k[i])).ToArray())];
        StreamingWidth = (c.Sink + 63) / 64 + (c.Local + c.Chunk + 63) / 64 + 1;
        var sequences = c.Lengths.Length;
        _retrieval = Keep(Gpu.Poisoned((long)(sequences * c.MaxPages + 3) * c.RetrievalHeads * layout.RetrievalBytes));
        _streaming = Keep(Gpu.Poisoned((long)(sequences * StreamingWidth + 3) * c.Streaming * layout.StreamingBytes));
        _heads = Upload(HeadOrder);
        _retrievalTable = Upload(Shuffled(sequences * c.MaxPages));
        _streamingTable = Upload(Shuffled(sequences * StreamingWidth));
        _open = Keep(Gpu.Poisoned(sequences * c.RetrievalHeads * 2L * c.HeadDim * 4));
        _centre = Upload(Centre.SelectMany(v => v).ToArray());
        for (var s = 0; s < sequences; s++) Fill(s);
    }

    /// <summary>[sequence][KV head][token][channel].</summary>
    public float[][][][] Keys { get; }

    /// <summary>[sequence][KV head][token][channel].</summary>
    public float[][][][] ValuesOf { get; }

    /// <summary>[KV head][channel].</summary>
    public float[][] Centre { get; }

    public int StreamingWidth { get; }

    /// <summary>KV heads in the order of their places: the last heads of the model retrieve, the first stream.</summary>
    public int[] HeadOrder => [.. Enumerable.Range(_case.Streaming, _case.RetrievalHeads), .. Enumerable.Range(0, _case.Streaming)];

    /// <param name="modes">A <see cref="RowMode"/> a row.</param>
    public KvLayer Layer(DeviceMemory positions, DeviceMemory sequences, DeviceMemory modes)
    {
        var layout = _case.Shape.Layout;
        return new()
        {
            Retrieval = _retrieval.Address, Streaming = _streaming.Address, Heads = _heads.Address,
            RetrievalStride = (ulong)(_case.RetrievalHeads * layout.RetrievalBytes), StreamingStride = (ulong)(_case.Streaming * layout.StreamingBytes),
            RetrievalTable = _retrievalTable.Address, StreamingTable = _streamingTable.Address, Position = positions.Address, Sequence = sequences.Address, Mode = modes.Address,
            RetrievalWidth = _case.MaxPages, StreamingWidth = StreamingWidth, KvHeads = _case.KvHeads, RetrievalHeads = _case.RetrievalHeads,
            Sink = _case.Sink, Local = _case.Local, RetrievalBytes = layout.RetrievalBytes, StateHeads = _case.RetrievalHeads,
        };
    }

    public ulong Open => _open.Address;

    public DeviceMemory Upload<T>(T[] values) where T : unmanaged => Keep(Gpu.Upload<T>(values));

    public DeviceMemory Keep(DeviceMemory memory)
    {
        _memory.Add(memory);
        return memory;
    }

    /// <summary>The bytes of a retrieval page.</summary>
    public byte[] RetrievalPage(int sequence, int page, int place)
    {
        var table = Gpu.Download<int>(_retrievalTable, (sequence + 1) * _case.MaxPages);
        var bytes = new byte[_case.Shape.Layout.RetrievalBytes];
        _retrieval.Download<byte>(bytes, ((long)table[sequence * _case.MaxPages + page] * _case.RetrievalHeads + place) * bytes.Length);
        return bytes;
    }

    private void Fill(int sequence)
    {
        var append = new AttentionAppend(Gpu.Library, _case.Shape.Layout);
        var length = _case.Lengths[sequence];
        for (var at = 0; at < length;)
        {
            var end = length - at < 20 ? at + 1 : Math.Min(length, Math.Min((at / 64 + 1) * 64, at + _random.Next(1, 65)));
            List<TokenRun> runs = [], later = [];
            AttentionAppend.AddRuns(runs, later, 0, end - at, at, sequence);
            foreach (var launch in new[] { runs, later }.Where(r => r.Count > 0)) Append(append, sequence, at, end, launch);
            at = end;
        }
    }

    private void Append(AttentionAppend append, int sequence, int from, int to, List<TokenRun> runs)
    {
        float[] Rows(float[][][][] source) => [.. Enumerable.Range(from, to - from).SelectMany(t => source[sequence].SelectMany(head => head[t]))];
        using var keys = Gpu.Upload<float>(Rows(Keys));
        using var values = Gpu.Upload<float>(Rows(ValuesOf));
        using var list = Gpu.Upload<TokenRun>(runs.ToArray());
        append.Launch(Gpu.Stream, runs.Count, new()
        {
            Kv = Layer(list, list, list), Keys = keys.Address, Values = values.Address, Centre = _centre.Address, Open = _open.Address, Runs = list.Address,
            RowStride = (ulong)(_case.KvHeads * _case.HeadDim), Statistics = (int)(_case.Policy == PagePolicy.Quest ? PageStatistics.Extremes : PageStatistics.Moments),
        });
        Gpu.Stream.Synchronize();
    }

    private int[] Shuffled(int count)
    {
        var pages = Enumerable.Range(0, count).ToArray();
        _random.Shuffle(pages);
        return pages;
    }

    /// <summary>Keys like real ones: a slow walk with two outlier channels, an offset and a strong first token.</summary>
    private float[][][] Heads(int length, bool keys) =>
        [.. Enumerable.Range(0, _case.KvHeads).Select(_ =>
        {
            var walk = new float[_case.HeadDim];
            return Enumerable.Range(0, length).Select(t =>
            {
                var x = Values.WithOutliers(_random, _case.HeadDim);
                if (!keys) return x;
                for (var i = 0; i < x.Length; i++) x[i] = (x[i] / 4 + (walk[i] += 0.05f * x[i])) * (i < 2 ? 6 : 1) + (i == 3 ? 8 : 0);
                return t == 0 ? Array.ConvertAll(x, v => v * 3) : x;
            }).ToArray();
        })];

    public void Dispose()
    {
        foreach (var memory in _memory) memory.Dispose();
    }
}
