using System.Globalization;
using LServe.Inference;

namespace LServe.Bench.Sparse;

/// <summary>What to measure.</summary>
internal sealed record SparseOptions
{
    public const string Usage =
        """
        Sparse attention beside dense attention on the CPU backend, in turns (A B A B), and llama.cpp in the same run.

          --model PATH       GGUF file; without it only the synthetic geometry is measured
          --pattern FOLDER   head pattern; without it half of the heads stream, chosen by number (for speed alone)
          --kv NAME          f16, int8, k8v4 or int4 of the sparse side; the dense side keeps f16 (default int8)
          --depths LIST      tokens of context to decode behind (default 2048,4096,7900)
          --prefill N        tokens of a prompt (default 7900)
          --threshold N      position from which on prompts choose pages (default 1024)
          --prefill-budget N tokens that a block of a prompt reads of what came before (default 1024)
          --geometry LIST    keys of the synthetic Llama-3-8B geometry; empty: not measured (default 8192,32768,131072,262144)
          --peer PATH        cpu_peer.py, which drives llama.cpp; --libs FOLDER: its libraries
          --threads N        threads of all (default 2)
          --rounds N         turns (default 4); the peer, which takes minutes, has one
          --commit ID        noted in the result
          --out PATH         PATH.json (default bench/results/sparse)
        """;

    public string? Model { get; init; }
    public string? Pattern { get; init; }
    public KvPrecision Kv { get; init; } = KvPrecision.Int8;
    public int[] Depths { get; init; } = [2048, 4096, 7900];
    public int Prefill { get; init; } = 7900;
    public int Threshold { get; init; } = 1024;
    public int PrefillBudget { get; init; } = 1024;
    public int[] Geometry { get; init; } = [8192, 32768, 131072, 262144];
    public string? Peer { get; init; }
    public string? Libraries { get; init; }
    public int Threads { get; init; } = 2;
    public int Rounds { get; init; } = 4;
    public string Commit { get; init; } = "";
    public string Out { get; init; } = "bench/results/sparse";
    public string Command { get; init; } = "";

    /// <exception cref="FormatException">An option or value that makes no sense.</exception>
    public static SparseOptions Parse(string[] arguments)
    {
        if (arguments.Length % 2 != 0) throw new FormatException($"{arguments[^1]} has no value.");
        var options = new SparseOptions();
        for (var i = 0; i < arguments.Length; i += 2) options = With(options, arguments[i], arguments[i + 1]);
        var shown = arguments.Select(a => a.Contains(Path.DirectorySeparatorChar) ? Path.GetFileName(a) : a);
        return options with { Command = "./lserve bench sparse " + string.Join(' ', shown) };
    }

    private static SparseOptions With(SparseOptions options, string name, string value) => name switch
    {
        "--model" => options with { Model = value },
        "--pattern" => options with { Pattern = value },
        "--kv" => options with { Kv = Enum.Parse<KvPrecision>(value, ignoreCase: true) },
        "--depths" => options with { Depths = Numbers(value) },
        "--prefill" => options with { Prefill = Number(value) },
        "--threshold" => options with { Threshold = Number(value) },
        "--prefill-budget" => options with { PrefillBudget = Number(value) },
        "--geometry" => options with { Geometry = Numbers(value) },
        "--peer" => options with { Peer = value },
        "--libs" => options with { Libraries = value },
        "--threads" => options with { Threads = Number(value) },
        "--rounds" => options with { Rounds = Number(value) },
        "--commit" => options with { Commit = value },
        "--out" => options with { Out = value },
        _ => throw new FormatException($"Unknown option {name}."),
    };

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static int[] Numbers(string text) => [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Number)];
}
