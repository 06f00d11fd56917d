using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace LServe.Bench;

/// <summary>What was measured: printed as it comes, written as JSON with command, commit, machine and date.</summary>
internal sealed class Figures
{
    private static readonly JsonSerializerOptions s_format = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly List<(string What, string Unit, double Value)> _values = [];

    /// <summary>Adds one of many values, to be printed by <see cref="Show"/>.</summary>
    public void Note(string what, string unit, double value) => _values.Add((what, unit, value));

    public void Show(string what, string unit)
    {
        double[] sorted = [.. _values.Where(v => v.What == what).Select(v => v.Value).Order()];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {what,-60} {Median(sorted),10:F3} {unit}, 99 %: {At(0.99, sorted):F3}"));
    }

    public void Add(string what, string unit, double value)
    {
        _values.Add((what, unit, value));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {what,-52} {value,12:F3} {unit}"));
    }

    /// <param name="path">Without <c>.json</c>.</param>
    /// <param name="threads">Of the engine.</param>
    public void Write(string path, string command, string commit, int threads)
    {
        var figures = _values.GroupBy(v => (v.What, v.Unit)).Select(g => new
        {
            what = g.Key.What, unit = g.Key.Unit, median = Median([.. g.Select(v => v.Value).Order()]), p99 = At(0.99, [.. g.Select(v => v.Value).Order()]), lowest = g.Min(v => v.Value), highest = g.Max(v => v.Value), values = g.Count(),
        });
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.WriteAllText(path + ".json", JsonSerializer.Serialize(new
        {
            command, commit, date = DateTime.UtcNow.ToString("u", CultureInfo.InvariantCulture), cpu = ProcessorName(), cores = Environment.ProcessorCount, threads, figures,
        }, s_format) + "\n");
        Console.WriteLine($"wrote {path}.json");
    }

    private static double At(double share, double[] sorted) => sorted[(int)(share * (sorted.Length - 1))];

    private static double Median(double[] sorted) =>
        sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;

    private static string ProcessorName()
    {
        const string file = "/proc/cpuinfo";
        var line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?.Split(':', 2)[1].Trim() ?? "unknown";
    }
}
