using System.Diagnostics;
using LServe.Cuda;
using LServe.Inference;
using LServe.Model;

namespace LServe.Bench.Kernels;

/// <summary>A whole model from a file through the backend: host time of steps, as the engine sees them, logits on the host included.</summary>
internal sealed class ModelBench(Report report) : IDisposable
{
    private const int PromptTokens = 512, Steps = 64, WarmUp = 3, Pages = 1024;

    private readonly StepPlan _plan = new();
    private ModelFile? _model;
    private CudaBackend? _backend;
    private LlamaForward? _forward;
    private int _nextPage;

    public void Run(string path, int[] batches)
    {
        _model = ModelFile.Open(path);
        var config = _model.Config;
        _backend = CudaBackend.Open(new());
        _forward = new(_backend, config, _model.Weights, PromptTokens);
        _backend.AllocateKv(new(config.Layers, config.KvHeads, config.HeadDim, KvPrecision.F16, Pages) { GroupSize = config.GroupSize, ChannelBlock = _backend.Info.ChannelBlock });
        var bytes = WeightBytes(_model.Weights);
        foreach (var batch in batches) Measure(config, batch, bytes);
    }

    private void Measure(ModelConfig config, int batch, long weightBytes)
    {
        _nextPage = 0;
        var random = new Random(1);
        var prompt = Enumerable.Range(0, PromptTokens).Select(_ => random.Next(config.VocabularySize)).ToArray();
        var tables = Enumerable.Range(0, batch).Select(_ => Table(PromptTokens + Steps + WarmUp)).ToArray();
        var prefill = tables.Select(table => Time(() => _plan.AddPrefill(table, 0, prompt, LogitChoice.Last))).ToArray();
        var steps = Enumerable.Range(0, Steps + WarmUp).Select(step => Time(() =>
        {
            for (var i = 0; i < batch; i++) _plan.AddDecode(tables[i], PromptTokens + step, prompt[step], logits: true);
        })).Skip(WarmUp).ToArray();
        Add($"{config.Name} prefill {PromptTokens}", prefill, weightBytes);
        Add($"{config.Name} decode x{batch} at {PromptTokens}", steps, weightBytes);
        Array.Sort(steps);
        report.Add($"{config.Name}: {batch * 1e6 / steps[Steps / 2]:0} tokens/s decoded at batch {batch}");
    }

    private void Add(string name, double[] times, long bytes)
    {
        Array.Sort(times);
        var median = times[times.Length / 2];
        report.Add(new Row("model", name, median, (times[^1] - times[0]) / median, bytes, 0, 0, 0));
    }

    private double Time(Action add)
    {
        _plan.Clear();
        add();
        var start = Stopwatch.GetTimestamp();
        _forward!.Run(_plan);
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }

    private TwoWayPageTable Table(int tokens)
    {
        var table = new TwoWayPageTable();
        while (table.Capacity < tokens) table.Add(_nextPage++);
        return table;
    }

    private static long WeightBytes(ModelWeights weights) => weights.Output.ByteLength + weights.Layers.Sum(layer =>
        new[] { layer.Query, layer.Key, layer.Value, layer.AttentionOutput, layer.Gate, layer.Up, layer.Down }.Sum(t => t.ByteLength));

    public void Dispose()
    {
        _forward?.Dispose();
        _backend?.Dispose();
        _model?.Dispose();
    }
}
