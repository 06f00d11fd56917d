using System.Diagnostics;
using LServe.Cpu;
using LServe.Inference;
using LServe.Model;

namespace LServe.Bench.Sparse;

/// <summary>
/// Attention alone at the shape of one Llama-3-8B layer (32 query heads, 8 KV heads, 128 channels) behind ever longer contexts of synthetic
/// keys: a slow random walk with noise, two outlier channels, a constant offset and a strong first token, roughly how real keys look.
/// </summary>
internal static class Geometry
{
    public const string Step = "attention of a layer", StepWithoutRenewal = "attention of a layer without renewals";

    private const int QueryHeads = 32, KvHeads = 8, Dim = 128, Chunk = 1024, Steps = 64;

    public static IEnumerable<Sample> Measure(SparseOptions options)
    {
        foreach (var tokens in options.Geometry)
        {
            using var bed = new Bed(options, tokens);
            var steps = bed.Run(tokens);
            var mean = steps.Average(s => s.Seconds);
            yield return new("lserve", $"{Step} at {tokens}", "µs", mean * 1e6);
            yield return new("lserve", $"{StepWithoutRenewal} at {tokens}", "µs", steps.Where(s => !s.Renews).Average(s => s.Seconds) * 1e6);
            yield return new("lserve", $"selection of that at {tokens}", "share", steps.Average(s => s.Selection) / mean);
        }
    }

    /// <param name="Renews">Whether candidates were chosen anew in it.</param>
    private readonly record struct Timing(bool Renews, double Seconds, double Selection);

    private sealed class Bed : IDisposable
    {
        private readonly CpuBackend _backend;
        private readonly KvGeometry _geometry;
        private readonly TwoWayPageTable _table = new();
        private readonly SelectionState _state;
        private readonly IDeviceBuffer _qkv, _output;
        private readonly AttentionLayer _layer;
        private readonly StepPlan _plan = new();
        private readonly Random _random = new(1);
        private readonly float[] _walk = new float[KvHeads * Dim];

        public Bed(SparseOptions options, int tokens)
        {
            _backend = new(new() { Threads = options.Threads });
            var pages = KvGeometry.PagesFor(tokens + Steps);
            _geometry = new(1, KvHeads, Dim, options.Kv, pages)
            {
                Heads = HeadLayout.Of(Patterns.Alternating(1, KvHeads)), StreamingPages = pages, LServe = new() { Budget = 4096, Local = 256, Renewal = 16, Candidates = 4 },
            };
            _backend.AllocateKv(_geometry);
            for (var page = 0; page < pages; page++)
            {
                _table.Add(page);
                _table.AddStreaming(page);
            }
            _state = new(_geometry);
            var config = new ModelConfig
            {
                Name = "Llama-3-8B layer", Architecture = "llama", Layers = 1, HiddenSize = QueryHeads * Dim, FeedForwardSize = 1, QueryHeads = QueryHeads, KvHeads = KvHeads,
                HeadDim = Dim, VocabularySize = 1, ContextLength = tokens + Steps, RmsEpsilon = 1e-5f, Rope = new(RopeStyle.Halves, new double[Dim / 2]),
            };
            _layer = new(0, config, null, null);
            _qkv = _backend.Allocate(Chunk, config.QkvSize);
            _output = _backend.Allocate(Chunk, QueryHeads * Dim);
        }

        /// <summary>Seconds of each step, and of page selection in it.</summary>
        public List<Timing> Run(int tokens)
        {
            for (var at = 0; at < tokens; at += Chunk)
            {
                var count = Math.Min(Chunk, tokens - at);
                Fill(count, at);
                _plan.Clear();
                _plan.AddPrefill(_table, at, new int[count], LogitChoice.None, _state);
                _backend.BeginStep(_plan);
                _backend.RopeAppend(_layer, _qkv);
                _backend.EndStep();
            }
            var timings = new List<Timing>();
            for (var i = 0; i < Steps; i++)
            {
                Fill(1, tokens + i);
                _plan.Clear();
                var renews = _geometry.LServe!.MustRenew(tokens + i, tokens);
                _plan.AddDecode(_table, tokens + i, 0, logits: false, _state, renews);
                var began = Stopwatch.GetTimestamp();
                _backend.BeginStep(_plan);
                _backend.RopeAppend(_layer, _qkv);
                var selecting = Stopwatch.GetTimestamp();
                _backend.Select(_layer, _qkv);
                var selection = Stopwatch.GetElapsedTime(selecting).TotalSeconds;
                _backend.Attend(_layer, _qkv, _output);
                _backend.EndStep();
                timings.Add(new(renews, Stopwatch.GetElapsedTime(began).TotalSeconds, selection));
            }
            return timings;
        }

        private void Fill(int rows, int position)
        {
            for (var row = 0; row < rows; row++)
            {
                var to = CpuBackend.RowOf(_qkv, row);
                for (var i = 0; i < to.Length; i++) to[i] = Gaussian();
                var keys = to.Slice(QueryHeads * Dim, KvHeads * Dim);
                for (var i = 0; i < keys.Length; i++)
                {
                    _walk[i] += 0.05f * Gaussian();
                    keys[i] = (keys[i] + _walk[i]) * (i % Dim < 2 ? 6 : 1) + (i % Dim == 3 ? 8 : 0);
                    if (position + row == 0) keys[i] *= 3;
                }
            }
        }

        private float Gaussian() => (float)(Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble()));

        public void Dispose()
        {
            _qkv.Dispose();
            _output.Dispose();
            _backend.Dispose();
        }
    }
}
