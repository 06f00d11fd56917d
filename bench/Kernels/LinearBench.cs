using LServe.Cuda.Driver;
using LServe.Cuda.Launch;

namespace LServe.Bench.Kernels;

/// <summary>The four products of a Llama-3-8B layer: 16-bit, int8 and 4-bit weights, few rows and many, each beside a cold read of its bytes.</summary>
internal sealed class LinearBench(Device device, Report report)
{
    private const long ColdBytes = 400L << 20;
    private const int MinCopies = 2, MaxCopies = 64;

    private static readonly (string Name, int Outputs, int Inputs)[] Shapes =
        [("qkv", 6144, 4096), ("o", 4096, 4096), ("gate_up", 28672, 4096), ("down", 4096, 14336)];

    /// <param name="formats">What to store weights in.</param>
    /// <param name="rowCounts">Rows of decode products.</param>
    /// <param name="stages">Slots of a warp's ring, at most; several are compared; 0: the launcher's choice.</param>
    public void Decode(IEnumerable<WeightFormat> formats, int[] rowCounts, int[] stages)
    {
        foreach (var format in formats)
        {
            var sums = new Dictionary<(int Rows, int Stages), (double Time, double Floor)>();
            foreach (var shape in Shapes) DecodeShape(format, shape, rowCounts, stages, sums);
            foreach (var ((rows, ring), (time, floor)) in sums.OrderBy(s => s.Key))
                report.Add($"layer's four products, {format}, {rows} rows, {ring} stages: {time:0.0} us, cold reads of the same bytes {floor:0.0} us: x{time / floor:0.000}");
        }
    }

    /// <summary>Products of prompts, weights of one set: what counts is arithmetic.</summary>
    public void Prefill(IEnumerable<WeightFormat> formats, int[] rowCounts, double flopsPerSecond)
    {
        var launcher = new LinearPrefill(device.Library);
        foreach (var format in formats)
            foreach (var (name, outputs, inputs) in Shapes)
                foreach (var rows in rowCounts)
                {
                    using var w = device.RandomWeights(format, outputs, inputs);
                    using var x = device.RandomHalves((long)rows * inputs);
                    using var y = DeviceMemory.Allocate((long)rows * outputs * 4);
                    var time = device.Timer.Time(2, _ => launcher.Launch(device.Stream, format, new(w, x.Address, y.Address, rows, outputs, add: false)));
                    var flops = 2.0 * rows * outputs * inputs;
                    var floor = flops / flopsPerSecond * 1e6;
                    report.Add(new Row("linear/prefill", $"{format} {name} x{rows}", time.Microseconds, time.Spread, w.Bytes, flops, floor, time.Microseconds / floor));
                }
    }

    private void DecodeShape(
        WeightFormat format, (string Name, int Outputs, int Inputs) shape, int[] rowCounts, int[] stages, Dictionary<(int, int), (double, double)> sums)
    {
        var (name, outputs, inputs) = shape;
        var copies = (int)Math.Clamp(ColdBytes / format.Bytes(outputs, inputs), MinCopies, MaxCopies);
        var weights = Enumerable.Range(0, copies).Select(_ => device.RandomWeights(format, outputs, inputs)).ToArray();
        var floor = device.Timer.Time(copies, i => device.Read(weights[i].Data, weights[i].Bytes));
        report.Add(new Row("read", $"{format} {name}", floor.Microseconds, floor.Spread, weights[0].Bytes, 0, floor.Microseconds, 1));
        foreach (var rows in rowCounts)
            foreach (var ring in stages)
            {
                var launcher = new LinearDecode(device.Library, ring == 0 ? null : ring);
                using var x = device.RandomHalves((long)rows * inputs);
                using var y = DeviceMemory.Allocate((long)rows * outputs * 4);
                var time = device.Timer.Time(copies, i => launcher.Launch(device.Stream, format, new(weights[i], x.Address, y.Address, rows, outputs, add: false)));
                report.Add(new Row("linear/decode", $"{format} {name} x{rows} ring {ring}", time.Microseconds, time.Spread, weights[0].Bytes,
                    2.0 * rows * outputs * inputs, floor.Microseconds, time.Microseconds / floor.Microseconds));
                var (t, f) = sums.GetValueOrDefault((rows, ring));
                sums[(rows, ring)] = (t + time.Microseconds, f + floor.Microseconds);
            }
        foreach (var weight in weights) weight.Dispose();
    }
}
