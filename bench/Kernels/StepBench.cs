using System.Diagnostics;
using System.Runtime.InteropServices;
using LServe.Cuda;
using LServe.Cuda.Driver;
using LServe.Cuda.Launch;
using LServe.Inference;
using LServe.Model;

namespace LServe.Bench.Kernels;

/// <param name="Weights">Their format; in a name before the stroke, that of the cache behind it.</param>
/// <param name="LServe">Null: dense.</param>
/// <param name="Batch">Sequences that decode; 0: a prompt of <paramref name="Context"/> tokens is read.</param>
internal sealed record StepSetting(WeightFormat Weights, KvPrecision Kv, LServeOptions? LServe, int Batch, int Context)
{
    public string Name => $"{Weights}/{Kv} {LServe?.Policy.ToString() ?? "dense"} {(Batch == 0 ? "prompt " : $"{Batch}x")}{Context >> 10}K";
}

/// <summary>
/// Whole decode steps and prompts of Llama-3-8B's geometry through the backend, weights and pages random: host time of a step as the engine sees it, logits on the
/// host included; half of the KV heads stream. Renewals come as they do in service, spread over the sequences, and count in the mean.
/// </summary>
internal sealed class StepBench(Device device, Report report)
{
    private const int Layers = 32, Hidden = 4096, FeedForward = 14336, QueryHeads = 32, KvHeads = 8, HeadDim = 128, Vocabulary = 128256;
    private const int WarmUp = 40, Steps = 64, PromptRows = CudaBackend.PrefillRows;
    private const float Gain = 0.1f;  // of norms: products of random weights stay of ordinary size
    private const long SpareBytes = 2L << 30;

    private static readonly LServeOptions TwoStage = new()
    {
        Sink = 128, Local = 256, Budget = 4096, Policy = SelectionPolicy.TwoStage, SketchBits = 2, Renewal = 16, Candidates = 4,
    };

    private static readonly LServeOptions Quest = TwoStage with { Policy = SelectionPolicy.Quest, Renewal = 4 };

    /// <param name="cases">Parts of names: those that have one are measured.</param>
    public void Run(string[] cases)
    {
        foreach (var setting in Settings().Where(s => cases.Any(s.Name.Contains)))
            try
            {
                Measure(setting);
            }
            catch (CudaException problem) when (problem.OutOfMemory)
            {
                report.Add($"{setting.Name}: doesn't fit this card");
            }
    }

    private static IEnumerable<StepSetting> Settings()
    {
        const int K = 1 << 10;
        (int Batch, int Context)[] dense = [(1, 8 * K), (1, 32 * K), (1, 128 * K), (8, 8 * K), (8, 32 * K), (32, 8 * K)];
        (int Batch, int Context)[] sparse = [(1, 8 * K), (1, 32 * K), (1, 128 * K), (1, 512 * K), (8, 8 * K), (8, 32 * K), (8, 128 * K), (32, 8 * K), (32, 32 * K)];
        foreach (var weights in new[] { WeightFormat.F16, WeightFormat.Int8, WeightFormat.Int4 })
        {
            foreach (var (batch, context) in dense) yield return new(weights, KvPrecision.F16, null, batch, context);
            foreach (var (batch, context) in sparse) yield return new(weights, KvPrecision.Int4, TwoStage, batch, context);
            foreach (var (batch, context) in sparse) yield return new(weights, KvPrecision.Int4, Quest, batch, context);
            foreach (var (batch, context) in sparse) yield return new(weights, KvPrecision.K8V4, TwoStage, batch, context);
            foreach (var context in new[] { 32 * K, 128 * K })
            {
                yield return new(weights, KvPrecision.F16, null, 0, context);
                yield return new(weights, KvPrecision.Int4, Quest, 0, context);
                yield return new(weights, KvPrecision.Int4, TwoStage, 0, context);
            }
        }
    }

    private unsafe void Measure(StepSetting setting)
    {
        var norm = NativeMemory.Alloc(Hidden * sizeof(float));
        new Span<float>(norm, Hidden).Fill(Gain);
        try
        {
            using var backend = new SyntheticBackend(CudaBackend.Open(new() { KernelCache = Path.Combine(Path.GetTempPath(), "lserve-bench-kernels") }), device, setting.Weights);
            var pages = Math.Max(1, setting.Batch) * (KvGeometry.PagesFor(setting.Context) + 2);
            var geometry = Geometry(setting, pages, backend.Info.ChannelBlock);
            if (geometry.TotalBytes + WeightBytes(setting.Weights) + SpareBytes > device.Context.FreeBytes)
            {
                report.Add($"{setting.Name}: doesn't fit this card");
                return;
            }
            backend.AllocateKv(geometry);
            using var forward = new LlamaForward(backend, Config(), Weights((byte*)norm), PromptRows);
            if (setting.Batch == 0) MeasurePrompt(setting, forward, backend, geometry);
            else Measure(setting, forward, backend, geometry);
        }
        finally
        {
            NativeMemory.Free(norm);
        }
    }

    private void Measure(StepSetting setting, LlamaForward forward, SyntheticBackend backend, KvGeometry geometry)
    {
        var random = new Random(1);
        var free = new Queue<int>(Enumerable.Range(0, geometry.Pages).OrderBy(_ => random.Next()));
        // Sequences of a batch are at different positions of a page and of an interval.
        var start = Enumerable.Range(0, setting.Batch).Select(i => setting.Context - WarmUp - Steps - 3 * i).ToArray();
        var sequences = start.Select(position => (Table: Table(position + WarmUp + Steps, free, geometry), State: setting.LServe is null ? null : new SelectionState(geometry))).ToArray();
        var plan = new StepPlan();
        var times = new double[WarmUp + Steps];
        for (var step = 0; step < times.Length; step++)
        {
            plan.Clear();
            for (var i = 0; i < setting.Batch; i++)
                plan.AddDecode(sequences[i].Table, start[i] + step, random.Next(Vocabulary), logits: true, sequences[i].State, setting.LServe?.MustRenew(start[i] + step, start[i]) ?? false);
            var before = Stopwatch.GetTimestamp();
            var logits = forward.Run(plan);
            times[step] = Stopwatch.GetElapsedTime(before).TotalMicroseconds;
            if (!float.IsFinite(logits[0]) || !float.IsFinite(logits[^1])) throw new InvalidOperationException($"{setting.Name}: logits are no numbers.");
        }
        Add(setting, times[WarmUp..], backend.WeightBytes, backend.Launches);
    }

    /// <summary>A prompt in chunks; one chunk warms up.</summary>
    private void MeasurePrompt(StepSetting setting, LlamaForward forward, SyntheticBackend backend, KvGeometry geometry)
    {
        var random = new Random(1);
        var table = Table(setting.Context, new(Enumerable.Range(0, geometry.Pages).OrderBy(_ => random.Next())), geometry);
        var state = setting.LServe is null ? null : new SelectionState(geometry);
        var tokens = Enumerable.Range(0, PromptRows).Select(_ => random.Next(Vocabulary)).ToArray();
        var plan = new StepPlan();
        void Chunk(int at)
        {
            plan.Clear();
            plan.AddPrefill(table, at, tokens, LogitChoice.Last, state);
            forward.Run(plan);
        }
        Chunk(setting.Context - PromptRows);
        var before = Stopwatch.GetTimestamp();
        for (var at = 0; at < setting.Context; at += PromptRows) Chunk(at);
        var time = Stopwatch.GetElapsedTime(before).TotalMicroseconds;
        report.Add(new Row("prompt", setting.Name, time, 0, 0, 2.0 * setting.Context * MatrixWeights, 0, 0));
        report.Add($"{setting.Name}: {time / 1e6:0.00} s, {setting.Context * 1e6 / time:0} tokens/s");
        foreach (var at in new[] { setting.Context / 2, setting.Context - PromptRows })
        {
            using var clock = backend.Clock = new();
            Chunk(at);
            report.Add($"{setting.Name}: of the chunk at {at >> 10}K, ms: {clock}");
            backend.Clock = null;
        }
    }

    private void Add(StepSetting setting, double[] times, long weightBytes, int launches)
    {
        var mean = times.Average();
        Array.Sort(times);
        report.Add(new Row("decode step", setting.Name, mean, (times[^1] - times[0]) / times[Steps / 2], weightBytes, 0, 0, 0));
        report.Add($"{setting.Name}: {setting.Batch * 1e6 / mean:0} tokens/s, median step {times[Steps / 2] / 1000:0.000} ms, {launches} launches");
    }

    private static TwoWayPageTable Table(int tokens, Queue<int> free, KvGeometry geometry)
    {
        var table = new TwoWayPageTable();
        while (table.Capacity < tokens)
        {
            var page = free.Dequeue();
            table.Add(page);
            if (geometry.Heads.AnyStreams) table.AddStreaming(page % geometry.StreamingPages);
        }
        return table;
    }

    /// <summary>A streaming window is far shorter than its table here: pages that none sees any more are shared.</summary>
    private static KvGeometry Geometry(StepSetting setting, int pages, int channelBlock)
    {
        var heads = setting.LServe is null
            ? HeadLayout.AllRetrieval(Layers, KvHeads)
            : new HeadLayout([.. Enumerable.Range(0, Layers).Select(_ => Enumerable.Range(0, KvHeads).Select(h => h % 2 == 1).ToArray())]);
        return new(Layers, KvHeads, HeadDim, setting.Kv, pages)
        {
            Heads = heads, LServe = setting.LServe, StreamingPages = heads.AnyStreams ? Math.Min(pages, 4096) : 0, ChannelBlock = channelBlock, GroupSize = QueryHeads / KvHeads,
        };
    }

    /// <summary>Weights that a row of a prompt is multiplied with.</summary>
    private static double MatrixWeights => Layers * (double)Hidden * ((QueryHeads + 2 * KvHeads) * HeadDim + QueryHeads * HeadDim + 3 * FeedForward);

    private static long WeightBytes(WeightFormat format)
    {
        var layer = format.Bytes((QueryHeads + 2 * KvHeads) * HeadDim, Hidden) + format.Bytes(Hidden, QueryHeads * HeadDim) + format.Bytes(2 * FeedForward, Hidden) + format.Bytes(Hidden, FeedForward);
        return Layers * layer + 2 * format.Bytes(Vocabulary, Hidden);
    }

    private static ModelConfig Config() => new()
    {
        Name = "Llama-3-8B geometry", Architecture = "llama", Layers = Layers, HiddenSize = Hidden, FeedForwardSize = FeedForward, QueryHeads = QueryHeads, KvHeads = KvHeads,
        HeadDim = HeadDim, VocabularySize = Vocabulary, ContextLength = 1 << 20, RmsEpsilon = 1e-5f,
        Rope = new(RopeStyle.Halves, [.. Enumerable.Range(0, HeadDim / 2).Select(i => Math.Pow(500_000, -2.0 * i / HeadDim))]),
    };

    /// <summary>Matrices by their shapes alone; all norms are one vector.</summary>
    private static unsafe ModelWeights Weights(byte* norm)
    {
        var vector = new Tensor("norm", TensorType.F32, 1, Hidden, norm, Hidden * sizeof(float));
        Tensor Matrix(int rows, int columns) => new("matrix", TensorType.F16, rows, columns, null, 2L * rows * columns);
        var layer = new LayerWeights
        {
            AttentionNorm = vector, Query = Matrix(QueryHeads * HeadDim, Hidden), Key = Matrix(KvHeads * HeadDim, Hidden), Value = Matrix(KvHeads * HeadDim, Hidden),
            AttentionOutput = Matrix(Hidden, QueryHeads * HeadDim), FeedForwardNorm = vector,
            Gate = Matrix(FeedForward, Hidden), Up = Matrix(FeedForward, Hidden), Down = Matrix(Hidden, FeedForward),
        };
        return new(Matrix(Vocabulary, Hidden), [.. Enumerable.Repeat(layer, Layers)], vector, Matrix(Vocabulary, Hidden));
    }
}
