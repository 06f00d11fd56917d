namespace LServe.Model;

/// <summary>Rotary embedding as GGUF metadata describe it, and the tensor of divisors that Llama 3.1's scaling became.</summary>
internal static class GgufRope
{
    public const string FactorsTensor = "rope_freqs.weight";

    public static RopeParameters Read(GgufFile gguf, string architecture, int headDim, int contextLength)
    {
        var rope = ReadUnchecked(gguf, architecture, headDim, contextLength);
        return RopeFrequencies.AreUsable(rope.InverseFrequencies) && float.IsFinite(rope.Magnitude)
            ? rope
            : throw gguf.Metadata.Problem($"{architecture}.rope.freq_base", "gives, with its scaling, frequencies that are no numbers.");
    }

    private static RopeParameters ReadUnchecked(GgufFile gguf, string architecture, int headDim, int contextLength)
    {
        var metadata = gguf.Metadata;
        var style = architecture == "llama" ? RopeStyle.Interleaved : RopeStyle.Halves;
        var theta = Positive(metadata, $"{architecture}.rope.freq_base") ?? 10_000;
        var scaling = $"{architecture}.rope.scaling.";
        var factor = Positive(metadata, scaling + "factor") ?? 1;
        var type = metadata.OptionalText(scaling + "type");
        if (type is null && Positive(metadata, $"{architecture}.rope.scale_linear") is { } linear) (type, factor) = ("linear", linear);
        if (type == "yarn") return ReadYarn(metadata, scaling, style, theta, headDim, factor, contextLength);
        var frequencies = type switch
        {
            null or "none" => RopeFrequencies.Plain(theta, headDim),
            "linear" => RopeFrequencies.Linear(theta, headDim, factor),
            _ => throw metadata.Problem(scaling + "type", $"is {type}; these work: none, linear, yarn."),
        };
        return new RopeParameters(style, Divide(gguf.Tensors, frequencies));
    }

    private static RopeParameters ReadYarn(
        GgufMetadata metadata, string scaling, RopeStyle style, double theta, int headDim, double factor, int contextLength)
    {
        var original = metadata.OptionalInt(scaling + "original_context_length", 1, ModelLimits.MaxContext) ?? contextLength;
        var fast = Positive(metadata, scaling + "yarn_beta_fast") ?? 32;
        var slow = Positive(metadata, scaling + "yarn_beta_slow") ?? 1;
        var yarn = new Yarn(factor, original, fast, slow);
        var magnitude = yarn.DefaultMagnitude * (Positive(metadata, scaling + "attn_factor") ?? 1);
        return new RopeParameters(style, yarn.Frequencies(theta, headDim), (float)magnitude);
    }

    private static double[] Divide(GgufTensors tensors, double[] frequencies)
    {
        if (tensors.Find(FactorsTensor) is not { } tensor) return frequencies;
        if (tensor.Type != TensorType.F32 || tensor.Rows != 1 || tensor.Columns != frequencies.Length)
            throw tensors.Problem(FactorsTensor, $"is no vector of {frequencies.Length} F32 values.");
        var divisors = new float[frequencies.Length];
        TensorFormat.Dequantise(tensor.Type, tensor.Row(0), divisors);
        if (!Array.TrueForAll(divisors, d => float.IsFinite(d) && d > 0))
            throw tensors.Problem(FactorsTensor, "has values that are not positive.");
        return RopeFrequencies.Divided(frequencies, divisors);
    }

    private static double? Positive(GgufMetadata metadata, string key)
    {
        var value = metadata.OptionalReal(key);
        return value is null or > 0 ? value : throw metadata.Problem(key, $"is {value}, which is not positive.");
    }
}
