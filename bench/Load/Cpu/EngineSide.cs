using System.Diagnostics;
using LServe.Cpu;
using LServe.Inference;
using LServe.Model;

namespace LServe.Bench.Load;

/// <summary>
/// This project's side, through the engine's public door: prompts go in, token events come out, and the clock stands between events.
/// The figures are those of cpu_peer.py, under the same names.
/// </summary>
internal sealed class EngineSide(CpuBenchOptions options)
{
    private const int DecodeSteps = 32, StreamPrompt = 128, StreamSteps = 64, FirstTokenPrompt = 64;

    public async Task<IReadOnlyList<Figure>> MeasureAsync(int round)
    {
        using var model = ModelFile.Open(options.Model);
        var streams = options.Streams.DefaultIfEmpty(1).Max();
        var longest = options.Prefill.Concat(options.Depths).DefaultIfEmpty(FirstTokenPrompt).Max() + (DecodeSteps + 1) * (options.Repeat + 2);
        using var engine = new Engine(
            new CpuBackend(new CpuOptions { Threads = options.Threads, Level = options.Level, Activations = options.Activations }), model.Config, model.Weights, model.Tokenizer.EndTokens,
            new EngineOptions { ContextLength = Math.Clamp(longest, 256, model.Config.ContextLength), KvTokens = longest + 256 * streams, MaxBatch = Math.Max(streams, 1) });
        var figures = new List<Figure>();
        foreach (var tokens in CpuBenchOptions.OfRound(options.Prefill, round))
            figures.Add(await TakeAsync($"prefill {tokens}", "tokens/s", tokens > CpuBenchOptions.Long ? 1 : options.Repeat, async run => tokens / await FirstTokenAsync(engine, tokens, run)));
        foreach (var depth in CpuBenchOptions.OfRound(options.Depths, round)) figures.Add(await DecodeAsync(engine, depth));
        foreach (var count in options.Streams)
            figures.Add(await TakeAsync($"streams {count}", "tokens/s", options.Repeat, run => StreamsAsync(engine, count, run)));
        figures.Add(await TakeAsync("first token", "ms", options.Repeat, async run => 1000 * await FirstTokenAsync(engine, FirstTokenPrompt, run)));
        return figures;
    }

    /// <summary>One run to warm up, then the others count.</summary>
    private static async Task<Figure> TakeAsync(string what, string unit, int repeat, Func<int, Task<double>> measure)
    {
        var values = new List<double>();
        for (var run = 0; run <= repeat; run++) values.Add(await measure(run));
        var figure = new Figure(what, unit, values[1..]);
        Console.WriteLine($"  ours  {what,-16} {figure.Median,9:F1} {unit} [{figure.Lowest:F1}, {figure.Highest:F1}]");
        return figure;
    }

    /// <summary>Seconds from the request to the first token.</summary>
    private static async Task<double> FirstTokenAsync(Engine engine, int tokens, int run)
    {
        var sequence = new Sequence("bench");
        var begin = Stopwatch.GetTimestamp();
        var at = (await ReadAsync(engine.Generate(sequence, Prompt(tokens, run), Greedy, 1)))[0];
        await engine.ReleaseAsync(sequence);
        return Stopwatch.GetElapsedTime(begin, at).TotalSeconds;
    }

    /// <summary>Tokens a second of single steps behind a context. A long one is read once; its runs follow each other, each 33 tokens deeper.</summary>
    private async Task<Figure> DecodeAsync(Engine engine, int depth)
    {
        var sequence = new Sequence("bench");
        if (depth > CpuBenchOptions.Long) await ReadAsync(engine.Generate(sequence, Prompt(depth, 0), Greedy, 1));
        var figure = await TakeAsync($"decode at {depth}", "tokens/s", options.Repeat, async run =>
        {
            var times = await ReadAsync(engine.Generate(sequence, depth > CpuBenchOptions.Long ? [] : Prompt(depth, run), Greedy, DecodeSteps + 1));
            if (depth <= CpuBenchOptions.Long)
            {
                await engine.ReleaseAsync(sequence);
                sequence = new Sequence("bench");
            }
            return DecodeSteps / Stopwatch.GetElapsedTime(times[0], times[^1]).TotalSeconds;
        });
        await engine.ReleaseAsync(sequence);
        return figure;
    }

    /// <summary>Tokens a second of sequences that step together; their prompts don't count.</summary>
    private static async Task<double> StreamsAsync(Engine engine, int count, int run)
    {
        var sequences = Enumerable.Range(0, count).Select(_ => new Sequence("bench")).ToArray();
        for (var i = 0; i < count; i++) await ReadAsync(engine.Generate(sequences[i], Prompt(StreamPrompt, run * 64 + i), Greedy, 1));
        var begin = Stopwatch.GetTimestamp();
        await Task.WhenAll(sequences.Select(s => ReadAsync(engine.Generate(s, [], Greedy, StreamSteps))));
        var seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        foreach (var sequence in sequences) await engine.ReleaseAsync(sequence);
        return count * StreamSteps / seconds;
    }

    private static SamplingParams Greedy { get; } = SamplingParams.Greedy with { IgnoreEnd = true };

    /// <summary>When each token came.</summary>
    private static async Task<List<long>> ReadAsync(Generation generation)
    {
        var times = new List<long>();
        while (await generation.WaitAsync())
        {
            while (generation.TryRead(out var next))
            {
                if (next.Kind == TokenEventKind.Token) times.Add(Stopwatch.GetTimestamp());
                if (next.Error is not null) throw next.Error;
            }
        }
        return times;
    }

    /// <summary>The tokens cpu_peer.py uses.</summary>
    private static int[] Prompt(int count, int run)
    {
        var x = (uint)((run + 1) * 2654435761L);
        var tokens = new int[count];
        for (var i = 0; i < count; i++)
        {
            x = x * 1664525 + 1013904223;
            tokens[i] = (int)(300 + x % 20000);
        }
        return tokens;
    }
}
