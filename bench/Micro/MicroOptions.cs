using System.Globalization;
using LServe.Cpu;

namespace LServe.Bench.Micro;

/// <summary>What to measure.</summary>
internal sealed record MicroOptions
{
    public const string Usage =
        """
        Forward passes of a model on the CPU backend, without engine or server: best and median tokens per second.

          --model PATH      GGUF file (required)
          --threads N       threads; 0: all cores (default 0)
          --level NAME      Vector512, Vector256, Vector128 or Scalar (default: the widest of the machine)
          --activations A   float32 or int8 (default float32)
          --prefill LIST    prompt lengths in tokens (default 512)
          --context LIST    depths in tokens to decode at (default 128,1024)
          --streams LIST    sequences that decode together behind 128 tokens (default 4,16)
          --repeat N        rounds of each (default 5)
          --kv NAME         f16 or f32 (default f16)
          --commit ID       noted in the result
          --out PATH        JSON file (default: none)
        """;

    public required string Model { get; init; }
    public CpuOptions Cpu { get; init; } = new();
    public int[] Prefill { get; init; } = [512];
    public int[] Contexts { get; init; } = [128, 1024];
    public int[] Streams { get; init; } = [4, 16];
    public int Repeat { get; init; } = 5;
    public bool Float32Kv { get; init; }
    public string Commit { get; init; } = "";
    public string? Out { get; init; }

    /// <exception cref="FormatException">An option or value that makes no sense.</exception>
    public static MicroOptions Parse(string[] arguments)
    {
        if (arguments.Length % 2 != 0) throw new FormatException($"{arguments[^1]} has no value.");
        var options = new MicroOptions { Model = "" };
        for (var i = 0; i < arguments.Length; i += 2) options = With(options, arguments[i], arguments[i + 1]);
        return options.Model.Length > 0 ? options : throw new FormatException("--model PATH is missing.");
    }

    private static MicroOptions With(MicroOptions options, string name, string value) => name switch
    {
        "--model" => options with { Model = value },
        "--threads" => options with { Cpu = options.Cpu with { Threads = Number(value) } },
        "--level" => options with { Cpu = options.Cpu with { Level = Enum.Parse<SimdLevel>(value, ignoreCase: true) } },
        "--activations" => options with { Cpu = options.Cpu with { Activations = Enum.Parse<Activations>(value, ignoreCase: true) } },
        "--prefill" => options with { Prefill = Numbers(value) },
        "--context" => options with { Contexts = Numbers(value) },
        "--streams" => options with { Streams = Numbers(value) },
        "--repeat" => options with { Repeat = Number(value) },
        "--kv" => options with { Float32Kv = value switch { "f32" => true, "f16" => false, _ => throw new FormatException("--kv is f16 or f32.") } },
        "--commit" => options with { Commit = value },
        "--out" => options with { Out = value },
        _ => throw new FormatException($"Unknown option {name}."),
    };

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static int[] Numbers(string text) => [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Number)];
}
