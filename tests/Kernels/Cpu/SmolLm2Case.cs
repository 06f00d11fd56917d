using System.Text.Json;
using LServe.Tests.Support;

namespace LServe.Tests.Kernels.Cpu;

/// <summary>One prompt of the bundled model with what the reference implementation makes of it.</summary>
public sealed record SmolLm2Case(
    string Name, int[] Prompt, IReadOnlyList<(int Position, (int Id, float Logit)[] Top)> Tops, double? MeanNll, int[] Greedy, float[] Margins, float[] LastLogits)
{
    public static IReadOnlyList<SmolLm2Case> All { get; } = Read();

    public static SmolLm2Case Named(string name) => All.Single(c => c.Name == name);

    private static string Folder => Path.Combine(RepositoryFiles.Root, "tests", "Kernels", "Reference", "smollm2");

    private static List<SmolLm2Case> Read()
    {
        var last = ReferenceTensors.Open(Path.Combine(Folder, "last_logits.safetensors"));
        using var cases = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "cases.json")));
        return [.. cases.RootElement.EnumerateArray().Select(c => Read(c, last))];
    }

    private static SmolLm2Case Read(JsonElement c, ReferenceTensors last)
    {
        var name = c.GetProperty("name").GetString()!;
        var nll = c.GetProperty("mean_nll");
        var greedy = c.GetProperty("greedy");
        var tops = c.GetProperty("top20").EnumerateArray().Select(t => (t.GetProperty("position").GetInt32(),
            t.GetProperty("top").EnumerateArray().Select(p => (p[0].GetInt32(), p[1].GetSingle())).ToArray()));
        return new(name, Ints(c.GetProperty("prompt_ids")), [.. tops], nll.ValueKind == JsonValueKind.Null ? null : nll.GetDouble(),
            Ints(greedy.GetProperty("ids")), [.. greedy.GetProperty("margins").EnumerateArray().Select(m => m.GetSingle())], last.Floats(name));
    }

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetInt32())];

    public override string ToString() => Name;
}
