using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace LServe.Bench.Micro;

/// <param name="Best">Tokens a second of wall-clock time, the best round.</param>
/// <param name="Median">The middle round.</param>
/// <param name="PerCoreSecond">Tokens a second of processor time: what a busy machine changes least.</param>
internal sealed record MicroFigure(string What, double Best, double Median, double PerCoreSecond);

/// <summary>The result as JSON, with command, commit, machine and date.</summary>
internal static class MicroReport
{
    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(MicroOptions options, string[] arguments, string backend, IReadOnlyList<MicroFigure> figures)
    {
        if (options.Out is not { } path) return;
        const string processors = "/proc/cpuinfo";
        var name = File.Exists(processors) ? File.ReadLines(processors).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        var document = new
        {
            command = $"micro {string.Join(' ', arguments.Select(a => Path.IsPathRooted(a) ? Path.GetFileName(a) : a))}",
            commit = options.Commit,
            date = DateTime.UtcNow.ToString("u", CultureInfo.InvariantCulture),
            cpu = name?.Split(':', 2)[1].Trim() ?? "unknown",
            backend,
            figures,
        };
        File.WriteAllText(path, JsonSerializer.Serialize(document, Format) + "\n");
    }
}
