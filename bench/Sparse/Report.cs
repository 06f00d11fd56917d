using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace LServe.Bench.Sparse;

/// <summary>The table, and the result as JSON with command, commit, machine and date.</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(SparseOptions options, IReadOnlyList<Sample> samples)
    {
        var figures = samples.GroupBy(s => (s.Side, s.What, s.Unit)).Select(g => new
        {
            side = g.Key.Side, what = g.Key.What, unit = g.Key.Unit, median = Median(g), lowest = g.Min(s => s.Value), highest = g.Max(s => s.Value), values = g.Count(),
        }).ToArray();
        foreach (var figure in figures)
        {
            var dense = figures.FirstOrDefault(f => f.side == "dense" && f.what == figure.what);
            var ratio = figure.side == "dense" || dense is null || figure.unit == "share" ? "" : $"{figure.median / dense.median,7:F2} × dense";
            Console.WriteLine($"{figure.side,-9} {figure.what,-32} {figure.median,9:F3} {figure.unit,-9} [{figure.lowest:F3}, {figure.highest:F3}] {ratio}");
        }
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(options.Out))!);
        File.WriteAllText(options.Out + ".json", JsonSerializer.Serialize(new
        {
            command = options.Command, commit = options.Commit, date = DateTime.UtcNow.ToString("u", CultureInfo.InvariantCulture), cpu = ProcessorName(), options.Threads, figures,
        }, Format) + "\n");
        Console.WriteLine($"wrote {options.Out}.json");
        if (options.Geometry.Length == 0) return;
        File.WriteAllText(options.Out + ".svg", ContextPlot.Draw(
            "One layer's attention step at Llama-3-8B's shape, budget 4096, half streaming",
            [.. new[] { Geometry.Step, Geometry.StepWithoutRenewal }.Select(name => (name, PointsOf(name, options, samples)))]));
        Console.WriteLine($"wrote {options.Out}.svg");
    }

    private static IReadOnlyList<(int Tokens, double Time)> PointsOf(string name, SparseOptions options, IReadOnlyList<Sample> samples) =>
        [.. options.Geometry.Select(tokens => (tokens, samples.Single(s => s.What == $"{name} at {tokens}").Value))];

    private static double Median(IEnumerable<Sample> samples)
    {
        var sorted = samples.Select(s => s.Value).Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }

    private static string ProcessorName()
    {
        const string file = "/proc/cpuinfo";
        var line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?.Split(':', 2)[1].Trim() ?? "unknown";
    }
}
