using LServe.Cuda.Driver;
using LServe.Cuda.Launch;

namespace LServe.Bench.Kernels;

/// <summary>Append, selection and attention of a layer of Llama-3-8B's shape, half of its KV heads streaming, and dense attention, beside cold reads of the same bytes.</summary>
internal sealed class AttentionBench(Device device, Report report)
{
    private const long ColdBytes = 2L << 30;
    private const int MinLayers = 2, MaxLayers = 16, LargestRead = 1 << 30;

    private static readonly (int Rows, int Context)[] SparseSizes = [(1, 16 << 10), (1, 128 << 10), (1, 512 << 10), (16, 128 << 10)], DenseSizes = [(4, 32 << 10), (4, 128 << 10), (16, 32 << 10)];

    /// <param name="cases">Parts of names, like <c>Int4 TwoStage</c> or <c>16x128K</c>: those that have one are measured.</param>
    public void Run(string[] cases)
    {
        foreach (var format in new[] { KvFormat.K8V4, KvFormat.Int4 })
            foreach (var policy in new[] { PagePolicy.TwoStage, PagePolicy.Quest })
                foreach (var (rows, context) in SparseSizes) Sparse(format, policy, rows, context, cases);
        foreach (var format in new[] { KvFormat.F16, KvFormat.Int8 })
            foreach (var (rows, context) in DenseSizes) Dense(format, rows, context, cases);
    }

    /// <summary>One step of selection and attention: what a step costs that renews and one that doesn't, and their mean over the interval.</summary>
    private void Sparse(KvFormat format, PagePolicy policy, int rows, int context, string[] cases)
    {
        var interval = policy == PagePolicy.TwoStage ? 16 : 4;
        var name = $"{format} {policy} {rows}x{context >> 10}K";
        if (!Wanted(name, cases)) return;
        using var layers = Layers(new(format, rows, context, policy, AttentionLayer.Budget), retrievalHeads: AttentionLayer.KvHeads / 2);
        Time("attention/append", name, layers, layer => layer.Append(), layers[0].AppendBytes);
        Time("select/score", name, layers, layer => layer.Score(), layers[0].ScoreBytes);
        if (policy == PagePolicy.TwoStage) Time("select/refine", name, layers, layer => layer.Refine(), layers[0].RefineBytes);
        Time("attention/decode", name, layers, layer => layer.Decode(), layers[0].DecodeBytes);
        var step = layers[0].AppendBytes + layers[0].DecodeBytes + (policy == PagePolicy.TwoStage ? layers[0].RefineBytes : 0);
        var kept = Time("attention step, choice kept", name, layers, layer => layer.Step(renew: false), step);
        var renewed = Time("attention step, choice renewed", name, layers, layer => layer.Step(renew: true), step + layers[0].ScoreBytes);
        var mean = (renewed + (interval - 1) * kept) / interval;
        var bytes = step + layers[0].ScoreBytes / interval;
        var floor = Floor(bytes);
        report.Add(new Row("attention step", $"{name}, renewed every {interval}", mean, 0, bytes, 0, floor, mean / floor));
    }

    /// <summary>All heads over all pages.</summary>
    private void Dense(KvFormat format, int rows, int context, string[] cases)
    {
        var name = $"{format} {rows}x{context >> 10}K";
        if (!Wanted("dense " + name, cases)) return;
        using var layers = Layers(new(format, rows, context, PagePolicy.Quest, Budget: 0), AttentionLayer.KvHeads);
        Time("attention/decode dense", name, layers, layer => layer.Decode(), layers[0].DecodeBytes);
    }

    private static bool Wanted(string name, string[] cases) => cases.Any(name.Contains);

    private double Time(string kernel, string name, LayerSet layers, Action<AttentionLayer> call, long bytes)
    {
        var time = device.Timer.Time(layers.Count, i => call(layers[i]));
        var floor = Floor(bytes);
        report.Add(new Row(kernel, name, time.Microseconds, time.Spread, bytes, 0, floor, time.Microseconds / floor));
        return time.Microseconds;
    }

    /// <summary>Microseconds of a cold read of as many bytes; of more than 1 GiB, in proportion.</summary>
    private double Floor(long bytes)
    {
        var read = Math.Min(Math.Max(bytes, 4096) / 4096 * 4096, LargestRead);
        using var pool = device.RandomHalves(ColdBytes / 2);
        var time = device.Timer.Time((int)Math.Min(ColdBytes / read, 256), i => device.Read(pool.Address + (ulong)(i * read), read));
        return time.Microseconds * Math.Max(1, (double)bytes / read);
    }

    private LayerSet Layers(AttentionSetting setting, int retrievalHeads)
    {
        var first = new AttentionLayer(device, setting, retrievalHeads);
        var count = (int)Math.Clamp(ColdBytes / Math.Max(first.DecodeBytes, first.ScoreBytes), MinLayers, first.PoolBytes > ColdBytes ? MinLayers : MaxLayers);
        return new([first, .. Enumerable.Range(1, count - 1).Select(_ => new AttentionLayer(device, setting, retrievalHeads))]);
    }

    private sealed class LayerSet(AttentionLayer[] layers) : IDisposable
    {
        public int Count => layers.Length;
        public AttentionLayer this[int index] => layers[index];

        public void Dispose()
        {
            foreach (var layer in layers) layer.Dispose();
        }
    }
}
