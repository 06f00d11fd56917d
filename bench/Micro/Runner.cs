using System.Diagnostics;
using LServe.Cpu;
using LServe.Inference;
using LServe.Model;

namespace LServe.Bench.Micro;

/// <summary>Sequences on a bare forward pass: tables filled page by page, tokens made up.</summary>
internal sealed class Runner : IDisposable
{
    private const int PrefillRows = 512;

    private readonly CpuBackend _backend;
    private readonly LlamaForward _forward;
    private readonly StepPlan _plan = new();
    private readonly List<TwoWayPageTable> _tables = [];
    private readonly int _pages;
    private int _nextPage;

    public Runner(ModelFile model, MicroOptions options, int tokens)
    {
        _backend = new CpuBackend(options.Cpu);
        _forward = new LlamaForward(_backend, model.Config, model.Weights, PrefillRows);
        _pages = KvGeometry.PagesFor(tokens);
        var config = model.Config;
        _backend.AllocateKv(new(config.Layers, config.KvHeads, config.HeadDim, options.Float32Kv ? KvPrecision.F32 : KvPrecision.F16, _pages));
    }

    public string Name => _backend.Info.Name;

    /// <summary>Forgets all sequences and makes room for new ones.</summary>
    public void Reset(int sequences, int tokens)
    {
        _tables.Clear();
        _nextPage = 0;
        for (var i = 0; i < sequences; i++)
        {
            var table = new TwoWayPageTable();
            while (table.Capacity < tokens) table.Add(_nextPage++ % _pages);
            _tables.Add(table);
        }
    }

    /// <summary>Reads a prompt in steps of at most 512 rows. Returns seconds.</summary>
    public double Prefill(int sequence, int tokens)
    {
        var random = new Random(sequence + 1);
        var ids = Enumerable.Range(0, tokens).Select(_ => random.Next(300, 20_000)).ToArray();
        var begin = Stopwatch.GetTimestamp();
        for (var at = 0; at < tokens; at += PrefillRows)
        {
            var count = Math.Min(PrefillRows, tokens - at);
            _plan.Clear();
            _plan.AddPrefill(_tables[sequence], at, ids.AsSpan(at, count), at + count == tokens ? LogitChoice.Last : LogitChoice.None);
            _forward.Run(_plan);
        }
        return Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    /// <summary>Steps of one token for every sequence. Returns seconds.</summary>
    public double Decode(int depth, int steps)
    {
        var begin = Stopwatch.GetTimestamp();
        for (var step = 0; step < steps; step++)
        {
            _plan.Clear();
            for (var i = 0; i < _tables.Count; i++) _plan.AddDecode(_tables[i], depth + step, 400 + step + i, logits: true);
            _forward.Run(_plan);
        }
        return Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    public void Dispose()
    {
        _forward.Dispose();
        _backend.Dispose();
    }
}
