using System.Globalization;

namespace LServe.Bench.Cluster;

/// <summary>What to measure.</summary>
internal sealed record ClusterOptions
{
    public const string Usage =
        """
        What a cluster costs beside one process.

          --parts LIST     latency: a turn over a gateway beside the embedded host, both on an engine that computes nothing
                           idle: memory of sessions that are active and idle
                           migrate: a session from one silo to another, with its pages
                           (default latency,idle,migrate)
          --turns N        turns of each side, of part latency (default 400)
          --answer N       tokens of their answers (default 200)
          --grains N       sessions of part idle (default 10000)
          --model PATH     GGUF file for part migrate (default: a tiny random model)
          --context N      tokens of its session (default 4096)
          --rounds N       migrations (default 20)
          --threads N      of each silo's engine, of part migrate (default 2)
          --folder PATH    the silos' store, of part migrate (default: a temporary folder)
          --commit ID      noted in the result
          --out PATH       PATH.json (default bench/results/cluster)
        """;

    public string[] Parts { get; init; } = ["latency", "idle", "migrate"];
    public int Turns { get; init; } = 400;
    public int Answer { get; init; } = 200;
    public int Grains { get; init; } = 10_000;
    public string? Model { get; init; }
    public int Context { get; init; } = 4096;
    public int Rounds { get; init; } = 20;
    public int Threads { get; init; } = 2;
    public string Folder { get; init; } = Path.Combine(Path.GetTempPath(), "lserve-bench-cluster");
    public string Commit { get; init; } = "";
    public string Out { get; init; } = "bench/results/cluster";
    public string Command { get; init; } = "";

    /// <exception cref="FormatException">An option or value that makes no sense.</exception>
    public static ClusterOptions Parse(string[] arguments)
    {
        var shown = arguments.Select(a => Path.IsPathRooted(a) ? Path.GetFileName(a) : a);
        var options = new ClusterOptions { Command = "./lserve bench cluster " + string.Join(' ', shown) };
        for (var i = 0; i < arguments.Length; i += 2)
            options = i + 1 < arguments.Length ? options.With(arguments[i], arguments[i + 1]) : throw new FormatException($"{arguments[i]} has no value.");
        return options;
    }

    private ClusterOptions With(string name, string value) => name switch
    {
        "--parts" => this with { Parts = value.Split(',') },
        "--turns" => this with { Turns = Number(value) },
        "--answer" => this with { Answer = Number(value) },
        "--grains" => this with { Grains = Number(value) },
        "--model" => this with { Model = value },
        "--context" => this with { Context = Number(value) },
        "--rounds" => this with { Rounds = Number(value) },
        "--threads" => this with { Threads = Number(value) },
        "--folder" => this with { Folder = value },
        "--commit" => this with { Commit = value },
        "--out" => this with { Out = value },
        _ => throw new FormatException($"There is no option '{name}'."),
    };

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
