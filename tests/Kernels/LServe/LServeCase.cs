using System.Text.Json;
using LServe.Inference;
using LServe.Tests.Support;

namespace LServe.Tests.Kernels.Sparse;

/// <summary>One case of LServe's attention with what its definition makes of it (tests/Kernels/Reference/README.md).</summary>
internal sealed record LServeCase(string Name, JsonElement Fields)
{
    private static readonly Lazy<ReferenceTensors> Tensors = new(() => ReferenceTensors.Open(Path.Combine(Folder, "cases.safetensors")));

    public static IReadOnlyList<LServeCase> All { get; } = Read();

    public static TheoryData<string> Names(string kind) => [.. All.Where(c => c.Text("kind") == kind).Select(c => c.Name)];

    public static LServeCase Named(string name) => All.Single(c => c.Name == name);

    public bool[] Streaming => [.. Fields.GetProperty("streaming").EnumerateArray().Select(e => e.GetBoolean())];

    public KvPrecision Precision => Text("kv") switch
    {
        "f16" => KvPrecision.F16, "int8" => KvPrecision.Int8, "k8v4" => KvPrecision.K8V4, "int4" => KvPrecision.Int4,
        var other => throw new InvalidDataException(other),
    };

    public LServeOptions Options => new()
    {
        Sink = Int("sink"), Local = Int("local"), Budget = Int("budget"), SinkPages = Int("sink_pages"), RecentPages = Int("recent_pages"),
        Deviation = (float)Fields.GetProperty("deviation").GetDouble(), Candidates = IntOr("candidates", 4), SketchBits = IntOr("sketch_bits", 2),
        PrefillThreshold = IntOr("threshold", int.MaxValue), PrefillBudget = Int("budget"),
        Policy = Text("policy") switch
        {
            "quest" => SelectionPolicy.Quest, "moments" => SelectionPolicy.Moments, "two-stage" => SelectionPolicy.TwoStage,
            var other => throw new InvalidDataException(other),
        },
    };

    public string Text(string field) => Fields.GetProperty(field).GetString()!;

    public int Int(string field) => Fields.GetProperty(field).GetInt32();

    /// <summary>Per KV head the pages of a field, null for streaming heads; null when the case has no such field.</summary>
    public int[]?[]? PageLists(string field) =>
        Fields.TryGetProperty(field, out var lists)
            ? [.. lists.EnumerateArray().Select(list => list.ValueKind == JsonValueKind.Null ? null : Ints(list))]
            : null;

    /// <summary>What the blocks of a prompt chose.</summary>
    public IEnumerable<(int Position, int Head, int[] Pages)> Blocks =>
        Fields.GetProperty("blocks").EnumerateArray().Select(b => (b[0].GetInt32(), b[1].GetInt32(), Ints(b[2])));

    public float[] Values(string tensor) => Tensors.Value.Floats($"{Name}.{tensor}");

    public bool Has(string tensor) => Tensors.Value.Names.Contains($"{Name}.{tensor}");

    public int[] Shape(string tensor) => Tensors.Value.Shape($"{Name}.{tensor}");

    private static string Folder => Path.Combine(RepositoryFiles.Root, "tests", "Kernels", "Reference", "lserve");

    private int IntOr(string field, int other) => Fields.TryGetProperty(field, out var value) ? value.GetInt32() : other;

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetInt32())];

    private static List<LServeCase> Read()
    {
        using var cases = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "cases.json")));
        return [.. cases.RootElement.EnumerateArray().Select(c => new LServeCase(c.GetProperty("name").GetString()!, c.Clone()))];
    }
}
