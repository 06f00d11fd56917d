using System.Globalization;
using LServe.Cpu;

namespace LServe.Bench.Load;

/// <summary>What to compare, and with whom.</summary>
internal sealed record CpuBenchOptions
{
    public const string Usage =
        """
        cpu: the engine on the CPU side by side with llama.cpp: same file, same threads, in turns (A B A B).

          --model PATH      GGUF file (required)
          --peer PATH       cpu_peer.py, which drives llama.cpp; without it only this engine is measured
          --libs FOLDER     llama.cpp's libraries: bins/linux-x64 of the npm package @node-llama-cpp/linux-x64
          --threads N       threads of both (default 2)
          --level NAME      vector width of this engine (default: the widest of the machine)
          --activations A   float32 or int8: what this engine's matrix products read (default float32)
          --rounds N        turns of each side (default 2); what reads more than 2,000 tokens is in the first alone
          --prefill LIST    prompt lengths in tokens (default 512,7900)
          --depths LIST     tokens of context to decode behind (default 128,1024,7900)
          --streams LIST    sequences that decode together (default 4,16)
          --repeat N        runs of each figure in a turn (default 5)
          --plain           in the first round prompts also by llama.cpp without its repacked weights and AMX
          --server PATH     LServe.Silo.dll, to be started and weighed (default: the one built beside this)
          --starts N        starts of the server (default 3); 0: it isn't looked at
          --short           one small turn of everything, to see whether it works; options after it win
          --commit ID       noted in the result
          --out PATH        PATH.json and PATH.svg (default bench/results/cpu)
        """;

    /// <summary>Tokens above which one round is enough, as it takes a minute.</summary>
    public const int Long = 2000;

    /// <summary>Tokens: a context that the bundled model's window just has room for.</summary>
    private const int LongDepth = 7900;

    public required string Model { get; init; }
    public string? Peer { get; init; }
    public string? Libraries { get; init; }
    public int Threads { get; init; } = 2;
    public SimdLevel? Level { get; init; }
    public int Rounds { get; init; } = 2;
    public Activations Activations { get; init; }
    public int[] Prefill { get; init; } = [512, LongDepth];
    public int[] Depths { get; init; } = [128, 1024, LongDepth];
    public int[] Streams { get; init; } = [4, 16];
    public int Repeat { get; init; } = 5;
    public bool Plain { get; init; }
    public string Server { get; init; } = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../LServe.Silo/release/LServe.Silo.dll"));
    public int Starts { get; init; } = 3;
    public string Commit { get; init; } = "";
    public string Out { get; init; } = "bench/results/cpu";
    public string Command { get; init; } = "";

    /// <exception cref="FormatException">An option or value that makes no sense.</exception>
    public static CpuBenchOptions Parse(string[] arguments)
    {
        var options = new CpuBenchOptions { Model = "", Command = $"cpu {string.Join(' ', arguments.Select(WithoutFolders))}" };
        for (var i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] == "--plain") options = options with { Plain = true };
            else if (arguments[i] == "--short") options = options with { Rounds = 1, Repeat = 1, Prefill = [64], Depths = [64], Streams = [2], Starts = 1 };
            else if (i + 1 < arguments.Length) options = With(options, arguments[i], arguments[++i]);
            else throw new FormatException($"{arguments[i]} has no value.");
        }
        if (options.Model.Length == 0) throw new FormatException("--model PATH is missing.");
        if (options.Peer is not null && options.Libraries is null) throw new FormatException("--peer needs --libs FOLDER.");
        if (options.Starts > 0 && !File.Exists(options.Server))
            throw new FormatException($"There is no {options.Server}: build it (./lserve serve --help does), name it with --server PATH, or leave it out with --starts 0.");
        return options;
    }

    /// <summary>Lengths that a round measures.</summary>
    public static int[] OfRound(int[] lengths, int round) => [.. lengths.Where(length => round == 1 || length <= Long)];

    private static CpuBenchOptions With(CpuBenchOptions options, string name, string value) => name switch
    {
        "--model" => options with { Model = value },
        "--peer" => options with { Peer = value },
        "--libs" => options with { Libraries = value },
        "--threads" => options with { Threads = Number(value) },
        "--level" => options with { Level = Enum.Parse<SimdLevel>(value, ignoreCase: true) },
        "--activations" => options with { Activations = Enum.Parse<Activations>(value, ignoreCase: true) },
        "--server" => options with { Server = Path.GetFullPath(value) },
        "--starts" => options with { Starts = Number(value) },
        "--rounds" => options with { Rounds = Number(value) },
        "--prefill" => options with { Prefill = Numbers(value) },
        "--depths" => options with { Depths = Numbers(value) },
        "--streams" => options with { Streams = Numbers(value) },
        "--repeat" => options with { Repeat = Number(value) },
        "--commit" => options with { Commit = value },
        "--out" => options with { Out = value },
        _ => throw new FormatException($"Unknown option {name}."),
    };

    /// <summary>A result names files, not where one machine has them.</summary>
    private static string WithoutFolders(string argument) => Path.IsPathRooted(argument) ? Path.GetFileName(argument.TrimEnd('/')) : argument;

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static int[] Numbers(string text) => [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Number)];
}
