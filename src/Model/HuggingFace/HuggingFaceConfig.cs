namespace LServe.Model;

/// <summary>The geometry that a model folder's <c>config.json</c> describes.</summary>
internal static class HuggingFaceConfig
{
    public static readonly string[] Architectures = ["llama", "mistral", "qwen2", "qwen3"];

    public static ModelConfig Read(JsonField config, string name)
    {
        var type = config.Required("model_type");
        var architecture = type.Text();
        if (!Architectures.Contains(architecture))
            throw type.Problem($"is {architecture}; these work: {string.Join(", ", Architectures)}.");
        RefuseVariants(config);
        int Number(string field, int max) => config.Required(field).Int(1, max);

        var heads = Number("num_attention_heads", ModelLimits.MaxHeads);
        var kvHeads = config.Optional("num_key_value_heads")?.Int(1, heads) ?? heads;
        if (heads % kvHeads != 0)
            throw config.Required("num_key_value_heads").Problem($"is {kvHeads}; it must divide the {heads} query heads.");
        var hidden = Number("hidden_size", ModelLimits.MaxWidth);
        var headDim = HeadDim(config, hidden, heads);
        var context = Number("max_position_embeddings", ModelLimits.MaxContext);
        var rope = HuggingFaceRope.Read(config, headDim, ref context);
        return new ModelConfig
        {
            Name = name,
            Architecture = architecture,
            Layers = Number("num_hidden_layers", ModelLimits.MaxLayers),
            HiddenSize = hidden,
            FeedForwardSize = Number("intermediate_size", ModelLimits.MaxWidth),
            QueryHeads = heads,
            KvHeads = kvHeads,
            HeadDim = headDim,
            VocabularySize = Number("vocab_size", ModelLimits.MaxVocabulary),
            ContextLength = Math.Min(context, Window(config) ?? context),
            RmsEpsilon = Epsilon(config.Required("rms_norm_eps")),
            Rope = rope,
        };
    }

    public static bool IsTied(JsonField config) => config.Optional("tie_word_embeddings")?.Flag() ?? false;

    private static void RefuseVariants(JsonField config)
    {
        if (config.Optional("hidden_act") is { } activation && activation.Text() is not ("silu" or "swish"))
            throw activation.Problem($"is {activation.Text()}; silu works.");
        if (config.Optional("quantization_config") is { } quantised)
            throw quantised.Problem("is there; folders with F32, F16 or BF16 weights work, and quantised GGUF files.");
        if (config.Optional("partial_rotary_factor") is { } partial && partial.Real() != 1)
            throw partial.Problem($"is {partial.Real()}; only whole heads can be rotated.");
    }

    private static int HeadDim(JsonField config, int hidden, int heads)
    {
        if (config.Optional("head_dim") is { } field) return Even(field, field.Int(2, ModelLimits.MaxHeadDim));
        var size = config.Required("hidden_size");
        return hidden % heads == 0
            ? Even(size, hidden / heads)
            : throw size.Problem($"is {hidden}; the {heads} query heads must divide it.");
    }

    private static int Even(JsonField field, int headDim) => headDim is >= 2 and <= ModelLimits.MaxHeadDim && headDim % 2 == 0
        ? headDim
        : throw field.Problem($"gives heads of {headDim} channels; even counts up to {ModelLimits.MaxHeadDim} work.");

    /// <summary>Within a sliding window attention is full attention, so that the model is exact up to there.</summary>
    private static int? Window(JsonField config) =>
        config.Optional("use_sliding_window")?.Flag() ?? true ? config.Optional("sliding_window")?.Int(1, int.MaxValue) : null;

    private static float Epsilon(JsonField field) =>
        field.Real() is > 0 and < 1 and var epsilon ? (float)epsilon : throw field.Problem("is not between 0 and 1.");
}
