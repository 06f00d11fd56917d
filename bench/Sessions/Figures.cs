using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace LServe.Bench.Sessions;

/// <summary>What was measured: printed as it comes, written as JSON with command, commit, machine and date.</summary>
internal sealed class Figures
{
    private static readonly JsonSerializerOptions s_format = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly List<(string What, string Unit, double Value)> _values = [];

    public void Add(string what, string unit, double value)
    {
        _values.Add((what, unit, value));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {what,-52} {value,12:F1} {unit}"));
    }

    public void Write(SessionsOptions options)
    {
        var figures = _values.GroupBy(v => (v.What, v.Unit)).Select(g => new
        {
            what = g.Key.What, unit = g.Key.Unit, median = Median([.. g.Select(v => v.Value).Order()]), lowest = g.Min(v => v.Value), highest = g.Max(v => v.Value), values = g.Count(),
        });
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(options.Out))!);
        File.WriteAllText(options.Out + ".json", JsonSerializer.Serialize(new
        {
            command = options.Command, commit = options.Commit, date = DateTime.UtcNow.ToString("u", CultureInfo.InvariantCulture), cpu = ProcessorName(), options.Threads, figures,
        }, s_format) + "\n");
        Console.WriteLine($"wrote {options.Out}.json");
    }

    private static double Median(double[] sorted) =>
        sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;

    private static string ProcessorName()
    {
        const string file = "/proc/cpuinfo";
        var line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?.Split(':', 2)[1].Trim() ?? "unknown";
    }
}
