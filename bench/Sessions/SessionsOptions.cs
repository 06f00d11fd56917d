using System.Globalization;

namespace LServe.Bench.Sessions;

/// <summary>What to measure.</summary>
internal sealed record SessionsOptions
{
    public const string Usage =
        """
        What durable sessions cost and save, measured on the real server.

          --model PATH     GGUF file
          --parts LIST     resume: bytes of a turn, time to the first token after a restart and from nothing
                           many: start and memory with many sessions on disk
                           checkpoint: tokens per second of several sessions with and without a folder
                           (default resume,many,checkpoint)
          --context N      tokens of the long session (default 7900)
          --turn N         tokens of its further turns, prompt and answer together (default 20)
          --sessions N     of part many (default 10000)
          --streams N      sessions that answer at once, of part checkpoint (default 8)
          --answer N       tokens of their answers (default 128)
          --rounds N       repetitions (default 5)
          --threads N      of the server (default 2)
          --server PATH    the built server (default: the one beside this program)
          --folder PATH    where sessions are kept meanwhile (default: a temporary folder)
          --commit ID      noted in the result
          --out PATH       PATH.json (default bench/results/sessions)
          -- OPTIONS       further options of the server, such as --attention lserve --kv int8
        """;

    public string Model { get; init; } = "";
    public string[] Parts { get; init; } = ["resume", "many", "checkpoint"];
    public int Context { get; init; } = 7900;
    public int Turn { get; init; } = 20;
    public int Sessions { get; init; } = 10_000;
    public int Streams { get; init; } = 8;
    public int Answer { get; init; } = 128;
    public int Rounds { get; init; } = 5;
    public int Threads { get; init; } = 2;
    public string Server { get; init; } = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../LServe.Silo/release/LServe.Silo.dll"));
    public string Folder { get; init; } = Path.Combine(Path.GetTempPath(), "lserve-bench-sessions");
    public string Commit { get; init; } = "";
    public string Out { get; init; } = "bench/results/sessions";
    public string[] ServerOptions { get; init; } = [];
    public string Command { get; init; } = "";

    /// <exception cref="FormatException">An option or value that makes no sense.</exception>
    public static SessionsOptions Parse(string[] arguments)
    {
        var shown = arguments.Select(a => Path.IsPathRooted(a) ? Path.GetFileName(a) : a);
        var options = new SessionsOptions { Command = "./lserve bench sessions " + string.Join(' ', shown) };
        for (var i = 0; i < arguments.Length; i += 2)
        {
            if (arguments[i] == "--") return Checked(options with { ServerOptions = arguments[(i + 1)..] });
            if (i + 1 == arguments.Length) throw new FormatException($"{arguments[i]} has no value.");
            options = With(options, arguments[i], arguments[i + 1]);
        }
        return Checked(options);
    }

    private static SessionsOptions Checked(SessionsOptions options)
    {
        if (!File.Exists(options.Model)) throw new FormatException("--model PATH is missing, or there is no such file.");
        if (!File.Exists(options.Server)) throw new FormatException($"There is no {options.Server}: build it (./lserve serve --help does), or name it with --server PATH.");
        return options;
    }

    private static SessionsOptions With(SessionsOptions options, string name, string value) => name switch
    {
        "--model" => options with { Model = value },
        "--parts" => options with { Parts = value.Split(',', StringSplitOptions.RemoveEmptyEntries) },
        "--context" => options with { Context = Number(value) },
        "--turn" => options with { Turn = Number(value) },
        "--sessions" => options with { Sessions = Number(value) },
        "--streams" => options with { Streams = Number(value) },
        "--answer" => options with { Answer = Number(value) },
        "--rounds" => options with { Rounds = Number(value) },
        "--threads" => options with { Threads = Number(value) },
        "--server" => options with { Server = Path.GetFullPath(value) },
        "--folder" => options with { Folder = Path.GetFullPath(value) },
        "--commit" => options with { Commit = value },
        "--out" => options with { Out = value },
        _ => throw new FormatException($"Unknown option {name}."),
    };

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
