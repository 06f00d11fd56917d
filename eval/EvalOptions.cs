using System.Globalization;

namespace LServe.Eval;

/// <summary>What to evaluate, and on what.</summary>
internal sealed record EvalOptions
{
    public const string Usage =
        """
        What sparse attention costs in accuracy. Results are kept row by row (needles: trial by trial); the same command goes on where it was stopped.

        Usage: ./lserve eval TASK [--texts FOLDER] [OPTIONS]

        Tasks:
          divergence        Predictions of decode steps over long texts against dense ones, position by position
          needles           Things hidden in long prompts, found or not, paired with dense attention
          list              The rows there are
          report            The pages of what is on record in --out, written anew

          --texts FOLDER    long texts (*.txt)
          --rows LIST       rows by name (default: all for divergence; dense,default,paper for needles)
          --model PATH      GGUF file or Hugging Face folder (default: the bundled model)
          --pattern FOLDER  head pattern (default: the bundled model's, with the bundled model)
          --out FOLDER      where results go (default: eval/results)
          --cache FOLDER    where dense logits are kept, 4 GB by default (default: artifacts/eval)
          --count N         divergence: texts (default 5)
          --length N        divergence: tokens of a text (default 7680)
          --prompt N        divergence: tokens before the first compared one (default 1024)
          --kinds LIST      needles: single, multikey, variables, passkey, multivalue, multiquery, commonwords,
                            frequentwords (default single)
          --lengths LIST    needles: tokens of a prompt (default 3800,7600)
          --trials N        needles: trials per length and row (default 200)
          --seed N          needles: what trials are drawn with (default 1)
          --backend NAME    cpu or cuda: what computes (default cpu)
          --threads N       threads of the cpu backend; 0: one per core (default 0)
          --commit ID       noted in the results
          --quick           minutes instead of hours: 2 texts of 1536 tokens, 4 needles at 1800
        """;

    public required string Task { get; init; }
    public string? Texts { get; init; }
    public string[] Rows { get; init; } = [];
    public string Model { get; init; } = Path.Combine(Repository.Root, "models", Repository.BundledModel);
    public string? Pattern { get; init; }
    public string Out { get; init; } = Path.Combine(Repository.Root, "eval", "results");
    public string Cache { get; init; } = Path.Combine(Repository.Root, "artifacts", "eval");

    /// <summary>Texts. Default 5.</summary>
    public int Count { get; init; } = 5;

    /// <summary>Tokens of a text. Default 7680.</summary>
    public int Length { get; init; } = 7680;

    /// <summary>Tokens. Default 1024.</summary>
    public int Prompt { get; init; } = 1024;

    /// <summary>What is hidden. Default a single sentence.</summary>
    public NeedleKind[] Kinds { get; init; } = [NeedleKind.Single];

    /// <summary>Tokens of needle prompts. Default 3800 and 7600.</summary>
    public int[] Lengths { get; init; } = [3800, 7600];

    /// <summary>Per length and row. Default 200.</summary>
    public int Trials { get; init; } = 200;
    public int Seed { get; init; } = 1;
    public int Threads { get; init; }

    /// <summary>What computes. Default the CPU.</summary>
    public string Backend { get; init; } = EvalBackend.Cpu;
    public string Commit { get; init; } = "not given";
    public required string Command { get; init; }

    /// <summary>Results name files and folders without where they lie on one machine.</summary>
    private static string Shown(string argument) => Path.IsPathRooted(argument) ? Path.GetFileName(argument.TrimEnd('/')) : argument;

    /// <exception cref="FormatException">An option or value that makes no sense.</exception>
    public static EvalOptions Parse(string[] arguments)
    {
        if (arguments is not [var task, ..] || task is not ("divergence" or "needles" or "list" or "report")) throw new FormatException("Name a task: divergence, needles, list or report.");
        var options = new EvalOptions { Task = task, Command = string.Join(' ', arguments.Select(Shown)) };
        for (var i = 1; i < arguments.Length; i++)
        {
            if (arguments[i] == "--quick") options = options with { Count = 2, Length = 1536, Trials = 4, Lengths = [1800] };
            else if (i + 1 < arguments.Length) options = With(options, arguments[i], arguments[++i]);
            else throw new FormatException($"{arguments[i]} has no value.");
        }
        if (options.Prompt < 2 || options.Length <= options.Prompt) throw new FormatException($"--prompt is {options.Prompt} and --length {options.Length}; the prompt must have at least 2 tokens, a text more than its prompt.");
        if (options.Count < 1 || options.Trials < 1) throw new FormatException("--count and --trials must be at least 1.");
        return options;
    }

    private static EvalOptions With(EvalOptions options, string name, string value) => name switch
    {
        "--texts" => options with { Texts = value },
        "--rows" => options with { Rows = value.Split(',', StringSplitOptions.RemoveEmptyEntries) },
        "--model" => options with { Model = value },
        "--pattern" => options with { Pattern = value },
        "--out" => options with { Out = value },
        "--cache" => options with { Cache = value },
        "--count" => options with { Count = Number(value) },
        "--length" => options with { Length = Number(value) },
        "--prompt" => options with { Prompt = Number(value) },
        "--lengths" => options with { Lengths = [.. value.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Number)] },
        "--kinds" => options with { Kinds = [.. value.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Kind)] },
        "--trials" => options with { Trials = Number(value) },
        "--seed" => options with { Seed = Number(value) },
        "--threads" => options with { Threads = Number(value) },
        "--backend" => options with { Backend = value is EvalBackend.Cpu or EvalBackend.Cuda ? value : throw new FormatException($"--backend is {EvalBackend.Cpu} or {EvalBackend.Cuda}, not {value}.") },
        "--commit" => options with { Commit = value },
        _ => throw new FormatException($"Unknown option {name}."),
    };

    private static NeedleKind Kind(string text) => Enum.TryParse<NeedleKind>(text, ignoreCase: true, out var kind)
        ? kind
        : throw new FormatException($"There are no {text} needles; there are: {string.Join(", ", Enum.GetNames<NeedleKind>())}.");

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
