using System.Diagnostics;
using LServe.Cpu;
using LServe.Inference;
using LServe.Model;

namespace LServe.Bench.Sparse;

/// <summary>One measured value.</summary>
/// <param name="Side"><c>dense</c>, <c>lserve</c> or <c>llama.cpp</c>.</param>
internal sealed record Sample(string Side, string What, string Unit, double Value);

/// <summary>One engine, dense or sparse, through its public door: a prompt goes in, tokens come out.</summary>
internal sealed class Side : IDisposable
{
    private const int Steps = 64, Runs = 4;

    private readonly ModelFile _model;
    private readonly TimedBackend _backend;
    private readonly Engine _engine;
    private readonly AttentionMode _mode;

    public Side(SparseOptions options, AttentionMode mode)
    {
        _mode = mode;
        _model = ModelFile.Open(options.Model!);
        _backend = new(new CpuBackend(new() { Threads = options.Threads }));
        var longest = options.Depths.Append(options.Prefill).Max() + 2 * Runs * Steps;
        var sparse = mode == AttentionMode.LServe;
        _engine = new(_backend, _model.Config, _model.Weights, _model.Tokenizer.EndTokens, new()
        {
            ContextLength = Math.Min(longest, _model.Config.ContextLength), KvTokens = longest, MaxBatch = 1,
            KvPrecision = sparse ? options.Kv : KvPrecision.F16,
            LServe = sparse ? new() { PrefillThreshold = options.Threshold, PrefillBudget = options.PrefillBudget } : null,
            Pattern = sparse ? Patterns.Of(options, _model.Config) : null,
        });
    }

    private string Name => _mode == AttentionMode.Dense ? "dense" : "lserve";

    /// <summary>Reads a prompt of each depth, then times steps; the last depth's prompt is timed as well.</summary>
    public async Task<List<Sample>> MeasureAsync(SparseOptions options)
    {
        var samples = new List<Sample>();
        foreach (var depth in options.Depths)
        {
            var sequence = new Sequence("bench", _mode);
            await ReadAsync(_engine.Generate(sequence, Prompt(depth), Greedy, 2));
            _backend.Reset();
            for (var run = 0; run < Runs; run++)
            {
                var times = await ReadAsync(_engine.Generate(sequence, [400], Greedy, Steps + 1));
                samples.Add(new(Name, $"decode at {depth}", "tokens/s", Steps / Stopwatch.GetElapsedTime(times[0], times[^1]).TotalSeconds));
            }
            samples.Add(new(Name, $"selection of a step at {depth}", "share", _backend.Selection / _backend.Steps));
            samples.Add(new(Name, $"attention of a step at {depth}", "share", _backend.Attention / _backend.Steps));
            samples.Add(new(Name, $"append of a step at {depth}", "share", _backend.Appending / _backend.Steps));
            await _engine.ReleaseAsync(sequence);
        }
        await MeasurePrefillAsync(options.Prefill, samples);
        var geometry = _engine.Geometry;
        var pages = KvGeometry.PagesFor(options.Prefill);
        var streaming = _mode == AttentionMode.Dense ? pages : Math.Min(pages, geometry.WindowPages);
        samples.Add(new(Name, $"KV of {options.Prefill} tokens", "MiB", (pages * geometry.PageBytes + streaming * geometry.PageBytesOf(KvPool.Streaming)) / 1048576.0));
        return samples;
    }

    private async Task MeasurePrefillAsync(int tokens, List<Sample> samples)
    {
        var sequence = new Sequence("bench", _mode);
        _backend.Reset();
        var began = Stopwatch.GetTimestamp();
        var first = (await ReadAsync(_engine.Generate(sequence, Prompt(tokens), Greedy, 1)))[0];
        samples.Add(new(Name, $"prefill {tokens}", "tokens/s", tokens / Stopwatch.GetElapsedTime(began, first).TotalSeconds));
        samples.Add(new(Name, $"selection of prefill {tokens}", "share", _backend.Selection / _backend.Steps));
        samples.Add(new(Name, $"attention of prefill {tokens}", "share", _backend.Attention / _backend.Steps));
        await _engine.ReleaseAsync(sequence);
    }

    private static SamplingParams Greedy { get; } = SamplingParams.Greedy with { IgnoreEnd = true };

    private static async Task<List<long>> ReadAsync(Generation generation)
    {
        var times = new List<long>();
        while (await generation.WaitAsync())
            while (generation.TryRead(out var next))
            {
                if (next.Kind == TokenEventKind.Token) times.Add(Stopwatch.GetTimestamp());
                if (next.Error is not null) throw next.Error;
            }
        return times;
    }

    private static int[] Prompt(int count)
    {
        var random = new Random(count);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(300, 20_000))];
    }

    public void Dispose()
    {
        _engine.Dispose();
        _model.Dispose();
    }
}
