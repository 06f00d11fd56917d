using System.Text.Json;
using System.Text.Json.Nodes;

namespace LServe.Model;

/// <summary>
/// A <see cref="HeadPattern"/> in files: DuoAttention's <c>full_attention_heads.tsv</c> and <c>config.json</c> (github.com/mit-han-lab/duo-attention),
/// whose <c>share</c> is ours, and <c>centres.safetensors</c>, ours and optional.
/// </summary>
public static class HeadPatternFolder
{
    private const string Gates = "full_attention_heads.tsv", Config = "config.json", Centres = "centres.safetensors";
    private const int MaxConfigBytes = 1 << 20;
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <param name="model">The model the pattern must be for; null: any.</param>
    /// <exception cref="ModelFileException">A file is missing, damaged, or for another model; names the file and the field.</exception>
    public static HeadPattern Open(string folder, ModelConfig? model = null)
    {
        var gatesPath = Path.Combine(folder, Gates);
        var gates = GateTable.Read(gatesPath);
        using var config = JsonFile.Read(Path.Combine(folder, Config), MaxConfigBytes);
        var pattern = new HeadPattern
        {
            Gates = gates,
            Sink = config.Root.Required("sink_size").Int(0, int.MaxValue),
            Local = config.Root.Required("recent_size").Int(1, int.MaxValue),
            Share = config.Root.Optional("share") is { } share ? ShareOf(share) : 0.5,
            Centres = CentresFile.ReadOptional(Path.Combine(folder, Centres), gates.Length, gates[0].Length),
        };
        if (model is not null) CheckFor(model, pattern, folder);
        return pattern;
    }

    /// <summary>Makes the folder, or writes over its files.</summary>
    /// <exception cref="IOException">It can't be written.</exception>
    public static void Save(string folder, HeadPattern pattern)
    {
        Directory.CreateDirectory(folder);
        GateTable.Write(Path.Combine(folder, Gates), pattern.Gates);
        var config = new JsonObject { ["sink_size"] = pattern.Sink, ["recent_size"] = pattern.Local, ["share"] = pattern.Share };
        File.WriteAllText(Path.Combine(folder, Config), config.ToJsonString(Indented) + "\n");
        if (pattern.Centres is null) File.Delete(Path.Combine(folder, Centres));
        else CentresFile.Write(Path.Combine(folder, Centres), pattern.Layers, pattern.KvHeads, pattern.Centres);
    }

    private static double ShareOf(JsonField field) =>
        field.Real() is >= 0 and <= 1 and var share ? share : throw field.Problem("is not within 0 … 1.");

    private static void CheckFor(ModelConfig model, HeadPattern pattern, string folder)
    {
        if (pattern.Layers != model.Layers || pattern.KvHeads != model.KvHeads)
            throw new ModelFileException(Path.Combine(folder, Gates), "shape", null,
                $"is {pattern.Layers} layers of {pattern.KvHeads} KV heads; the model {model.Name} has {model.Layers} of {model.KvHeads}. " +
                "Take the model's own pattern, or make one with ./lserve calibrate.");
        if (pattern.Centres is { } centres && centres.Length != model.Layers * model.KvHeads * model.HeadDim)
            throw new ModelFileException(Path.Combine(folder, Centres), "tensor centres", null,
                $"has {centres.Length / (model.Layers * model.KvHeads)} channels a head; the model {model.Name} has {model.HeadDim}.");
    }
}
