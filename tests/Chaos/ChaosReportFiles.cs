using System.Globalization;
using System.Text.Json;

namespace LServe.Tests.Chaos;

/// <summary>A report for people and for programs.</summary>
internal sealed class ChaosReportFiles(ChaosReport report, ChaosOptions options, string command)
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    private readonly string _date = TimeProvider.System.GetUtcNow().ToString("u", CultureInfo.InvariantCulture);

    public string Markdown
    {
        get
        {
            var turns = report.TurnSeconds;
            var stops = report.Departures.Select(d => d.StopSeconds).OfType<double>().ToArray();
            string[] lines =
            [
                $"`{command}`, commit {options.Commit}, {_date}, {Environment.ProcessorCount} cores ({Cpu()})", "",
                "| what | |", "|---|---|",
                $"| silos, sessions, seconds | {options.Silos}, {options.Sessions}, {options.Duration.TotalSeconds:F0} |",
                $"| members in | {(options.Postgres is null ? "Azure Tables (Azurite)" : "PostgreSQL")}, probes of 1 s, two misses |",
                $"| silos {(options.Drain ? "told to stop" : "killed")} | {report.Departures.Count} |",
                $"| sessions that these had in memory, the most and the fewest | {report.Departures.Select(d => d.Sessions).DefaultIfEmpty().Max()}, {report.Departures.Select(d => d.Sessions).DefaultIfEmpty().Min()} |",
                $"| turns acknowledged | {report.Acknowledged} |",
                $"| of these committed before, unread | {report.CommittedUnread} |",
                $"| calls ended with a retryable error | {report.CutStreams} |",
                $"| the longest such call | {Seconds(report.LongestCutSeconds)} |",
                $"| a turn with its retries: median, 99 %, longest | {string.Join(", ", turns.Select(Seconds))} |",
                .. stops.Length > 0 ? new[] { $"| from being told to stop to the end: longest | {Seconds(stops.Max())} |" } : [],
                $"| turns lost, doubled or with other text | {report.Violations.Count} |", "",
                .. report.Violations.Take(20).Select(violation => "- " + violation),
            ];
            return string.Join('\n', lines) + "\n";
        }
    }

    /// <param name="path">Without ending.</param>
    public void Write(string path)
    {
        File.WriteAllText(path + ".md", Markdown);
        var document = new
        {
            command, commit = options.Commit, date = _date, cores = Environment.ProcessorCount, cpu = Cpu(),
            silos = options.Silos, sessions = options.Sessions, seconds = options.Duration.TotalSeconds, seed = options.Seed,
            members = options.Postgres is null ? "azurite" : "postgresql", report,
        };
        File.WriteAllText(path + ".json", JsonSerializer.Serialize(document, s_json) + "\n");
    }

    private static string Seconds(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{seconds:F3} s");

    private static string Cpu() =>
        !File.Exists("/proc/cpuinfo") ? "unknown"
        : File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown";
}
