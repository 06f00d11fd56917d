using System.Globalization;

namespace LServe.Tests.Chaos;

/// <summary>How long, how many, how often.</summary>
internal sealed record ChaosOptions
{
    public TimeSpan Duration { get; init; } = TimeSpan.FromMinutes(5);
    public int Silos { get; init; } = 3;

    /// <summary>Conversations at once, each with a client that answers.</summary>
    public int Sessions { get; init; } = 200;

    /// <summary>Time from one kill to the next, at least and at most.</summary>
    public (double Least, double Most) KillSeconds { get; init; } = (10, 15);

    /// <summary>Longest time that a client thinks between two turns.</summary>
    public TimeSpan Think { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>Whether silos are told to stop instead of being killed.</summary>
    public bool Drain { get; init; }

    public int Seed { get; init; } = 1;

    /// <summary>Database with the table of members; null: it is in Azurite, as the store is.</summary>
    public string? Postgres { get; init; }

    /// <summary>Files to write, without ending; null: none.</summary>
    public string? Out { get; init; }

    public string Commit { get; init; } = "unknown";

    public static ChaosOptions Parse(string[] args)
    {
        var options = new ChaosOptions();
        for (var i = 0; i + 1 < args.Length; i += 2) options = options.With(args[i], args[i + 1]);
        return args.Length % 2 == 0 ? options : throw new ArgumentException($"{args[^1]} has no value.");
    }

    private ChaosOptions With(string name, string value) => name switch
    {
        "--seconds" => this with { Duration = TimeSpan.FromSeconds(Number(value)) },
        "--silos" => this with { Silos = (int)Number(value) },
        "--sessions" => this with { Sessions = (int)Number(value) },
        "--kill-seconds" => this with { KillSeconds = (Number(value.Split('-')[0]), Number(value.Split('-')[^1])) },
        "--think" => this with { Think = TimeSpan.FromSeconds(Number(value)) },
        "--end" => this with { Drain = value == "stop" },
        "--seed" => this with { Seed = (int)Number(value) },
        "--postgres" => this with { Postgres = value },
        "--out" => this with { Out = value },
        "--commit" => this with { Commit = value },
        _ => throw new ArgumentException($"There is no {name}; there are --seconds, --silos, --sessions, --kill-seconds LEAST-MOST, --think, --end kill|stop, --seed, --postgres CONNECTION, --out FILE, --commit."),
    };

    private static double Number(string text) => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
}
