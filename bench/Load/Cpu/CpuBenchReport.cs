using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using LServe.Cpu;

namespace LServe.Bench.Load;

/// <summary>The result as JSON, with command, commit, machine and date, and as a plot.</summary>
internal static class CpuBenchReport
{
    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(CpuBenchOptions options, IReadOnlyList<Comparison> comparisons, ServerFigures? server)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(options.Out))!);
        var document = new
        {
            command = options.Command,
            commit = options.Commit,
            date = DateTime.UtcNow.ToString("u", CultureInfo.InvariantCulture),
            cpu = ProcessorName(),
            options.Threads,
            activations = options.Activations.Name(),
            model = Path.GetFileName(options.Model),
            figures = comparisons.Select(c => new
            {
                what = c.Ours.What,
                unit = c.Ours.Unit,
                ours = Summary(c.Ours),
                llamaCpp = c.Peer is null ? null : Summary(c.Peer),
                flash = c.Flash,
                ratio = c.Ratio,
                llamaCppPlain = c.Plain?.Median,
                ratioToPlain = c.Plain is null ? (double?)null : c.Ours.RatioTo(c.Plain),
            }),
            server = server is null ? null : new { startMs = server.StartMs, residentMiB = server.ResidentMiB, allowedMiB = server.AllowedMiB, kvTokens = server.KvTokens },
        };
        File.WriteAllText(options.Out + ".json", JsonSerializer.Serialize(document, Format) + "\n");
        File.WriteAllText(options.Out + ".svg", BarChart.Draw(comparisons));
        Console.WriteLine($"wrote {options.Out}.json and {options.Out}.svg");
    }

    private static object Summary(Figure figure) => new { median = figure.Median, lowest = figure.Lowest, highest = figure.Highest, values = figure.Values.Count };

    private static string ProcessorName()
    {
        const string file = "/proc/cpuinfo";
        var line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?.Split(':', 2)[1].Trim() ?? "unknown";
    }
}
