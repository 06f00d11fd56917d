namespace LServe.Model;

/// <summary>The geometry that GGUF metadata describe.</summary>
internal static class GgufConfig
{
    public static readonly string[] Architectures = ["llama", "qwen2", "qwen3"];

    public static ModelConfig Read(GgufFile gguf, string name)
    {
        var metadata = gguf.Metadata;
        var architecture = metadata.RequiredText("general.architecture");
        if (!Architectures.Contains(architecture))
            throw metadata.Problem("general.architecture", $"is {architecture}; these work: {string.Join(", ", Architectures)}.");
        int Number(string key, int max) => metadata.RequiredInt($"{architecture}.{key}", 1, max);

        RefuseExperts(metadata, architecture);
        var heads = Number("attention.head_count", ModelLimits.MaxHeads);
        var kvHeads = metadata.OptionalInt($"{architecture}.attention.head_count_kv", 1, heads) ?? heads;
        if (heads % kvHeads != 0)
            throw metadata.Problem($"{architecture}.attention.head_count_kv", $"is {kvHeads}; it must divide the {heads} query heads.");
        var hidden = Number("embedding_length", ModelLimits.MaxWidth);
        var headDim = HeadDim(metadata, architecture, hidden, heads);
        var context = Number("context_length", ModelLimits.MaxContext);
        return new ModelConfig
        {
            Name = name,
            Architecture = architecture,
            Layers = Number("block_count", ModelLimits.MaxLayers),
            HiddenSize = hidden,
            FeedForwardSize = Number("feed_forward_length", ModelLimits.MaxWidth),
            QueryHeads = heads,
            KvHeads = kvHeads,
            HeadDim = headDim,
            VocabularySize = VocabularySize(metadata, architecture),
            ContextLength = Math.Min(context, Window(metadata, architecture) ?? context),
            RmsEpsilon = Epsilon(metadata, $"{architecture}.attention.layer_norm_rms_epsilon"),
            Rope = GgufRope.Read(gguf, architecture, headDim, context),
        };
    }

    private static void RefuseExperts(GgufMetadata metadata, string architecture)
    {
        var key = $"{architecture}.expert_count";
        if (metadata.OptionalInt(key, 0, int.MaxValue) > 0)
            throw metadata.Problem(key, "says this is a mixture of experts; only dense models work.");
    }

    /// <summary>Within a sliding window attention is full attention, so that the model is exact up to there.</summary>
    private static int? Window(GgufMetadata metadata, string architecture) =>
        metadata.OptionalInt($"{architecture}.attention.sliding_window", 0, int.MaxValue) is > 0 and var window ? window : null;

    private static int HeadDim(GgufMetadata metadata, string architecture, int hidden, int heads)
    {
        string key = $"{architecture}.attention.key_length", valueKey = $"{architecture}.attention.value_length";
        string rotated = $"{architecture}.rope.dimension_count";
        var dim = metadata.OptionalInt(key, 2, ModelLimits.MaxHeadDim);
        if (dim is null && hidden % heads != 0)
            throw metadata.Problem($"{architecture}.embedding_length", $"is {hidden}, which the {heads} query heads do not divide.");
        var headDim = dim ?? hidden / heads;
        if (headDim is < 2 or > ModelLimits.MaxHeadDim || headDim % 2 != 0)
            throw metadata.Problem(key, $"gives heads of {headDim} channels; even counts up to {ModelLimits.MaxHeadDim} work.");
        foreach (var same in (string[])[valueKey, rotated])
            if (metadata.OptionalInt(same, 0, int.MaxValue) is { } other && other != headDim)
                throw metadata.Problem(same, $"is {other}; only the {headDim} channels of a head work.");
        return headDim;
    }

    private static int VocabularySize(GgufMetadata metadata, string architecture)
    {
        const string tokens = "tokenizer.ggml.tokens";
        var pieces = metadata.RequiredStrings(tokens).Count;
        if (pieces is 0 or > ModelLimits.MaxVocabulary)
            throw metadata.Problem(tokens, $"has {pieces} tokens; 1 to {ModelLimits.MaxVocabulary} work.");
        var key = $"{architecture}.vocab_size";
        if (metadata.OptionalInt(key, 0, int.MaxValue) is { } size && size != pieces)
            throw metadata.Problem(key, $"is {size}, but {tokens} has {pieces} tokens.");
        return pieces;
    }

    private static float Epsilon(GgufMetadata metadata, string key)
    {
        var epsilon = metadata.OptionalReal(key) ?? throw metadata.Missing(key);
        return epsilon is > 0 and < 1 ? (float)epsilon : throw metadata.Problem(key, $"is {epsilon}, which is not between 0 and 1.");
    }
}
