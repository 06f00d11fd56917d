namespace LServe.Model;

/// <summary>Rotary embedding as GGUF metadata describe it.</summary>
internal static class GgufRope
{
    /// <summary>Divisors of the frequencies, with which GGUF writes Llama 3.1's scaling.</summary>
    public const string FactorsTensor = "rope_freqs.weight";

    public static RopeParameters Read(GgufFile gguf, string architecture, int headDim)
    {
        var metadata = gguf.Metadata;
        var theta = Positive(metadata, $"{architecture}.rope.freq_base") ?? 10_000;
        var scaling = metadata.OptionalText($"{architecture}.rope.scaling.type") ?? "none";
        var frequencies = scaling switch
        {
            "none" => RopeFrequencies.Plain(theta, headDim),
            "linear" => RopeFrequencies.Linear(theta, headDim, Positive(metadata, $"{architecture}.rope.scaling.factor") ?? 1),
            _ => throw metadata.Problem($"{architecture}.rope.scaling.type", $"is {scaling}; these work: none, linear."),
        };
        return new RopeParameters(RopeStyle.Interleaved, frequencies);
    }

    private static double? Positive(GgufMetadata metadata, string key)
    {
        var value = metadata.OptionalReal(key);
        return value is null or > 0 ? value : throw metadata.Problem(key, $"is {value}, which is not positive.");
    }
}
