namespace LServe.Model;

/// <summary>
/// Rotary embedding as <c>config.json</c> describes it, in either spelling: <c>rope_theta</c> with <c>rope_scaling</c> (its kind under
/// <c>rope_type</c> or the older <c>type</c>), or all of it in <c>rope_parameters</c>.
/// </summary>
internal static class HuggingFaceRope
{
    /// <param name="contextLength">Tokens the file says; longer if a scaling was set to reach further.</param>
    public static RopeParameters Read(JsonField config, int headDim, ref int contextLength)
    {
        var scaling = Scaling(config);
        var rope = Read(config, scaling, headDim, ref contextLength);
        return RopeFrequencies.AreUsable(rope.InverseFrequencies) && float.IsFinite(rope.Magnitude)
            ? rope
            : throw (scaling ?? config).Problem("gives frequencies that are no numbers.");
    }

    private static RopeParameters Read(JsonField config, JsonField? scaling, int headDim, ref int contextLength)
    {
        var theta = (scaling?.Optional("rope_theta") ?? config.Optional("rope_theta"))?.Positive() ?? 10_000;
        if (theta <= 1) throw new ModelFileException(config.File, "rope_theta", null, $"is {theta}, which is not above 1.");
        var kind = scaling is { } s ? s.Optional("rope_type") ?? s.Optional("type") : null;
        switch (kind?.Text() ?? "default")
        {
            case "default": return Plain(RopeFrequencies.Plain(theta, headDim));
            case "linear": return Plain(RopeFrequencies.Linear(theta, headDim, scaling!.Value.Required("factor").Positive()));
            case "llama3": return Plain(Llama3(scaling!.Value, theta, headDim));
            case "yarn": return ReadYarn(scaling!.Value, theta, headDim, ref contextLength);
            case var other: throw kind!.Value.Problem($"is {other}; these work: default, linear, llama3, yarn.");
        }
    }

    private static RopeParameters Plain(double[] frequencies) => new(RopeStyle.Halves, frequencies);

    private static JsonField? Scaling(JsonField config)
    {
        var (older, newer) = (config.Optional("rope_scaling"), config.Optional("rope_parameters"));
        if (older is { } o && newer is { } n && KindOf(o) != KindOf(n))
            throw o.Problem($"says {KindOf(o)}, but rope_parameters says {KindOf(n)}.");
        if (newer?.Optional("rope_theta") is { } inside && config.Optional("rope_theta") is { } outside && inside.Real() != outside.Real())
            throw outside.Problem($"is {outside.Real()}, but rope_parameters.rope_theta is {inside.Real()}.");
        return newer ?? older;
    }

    private static string KindOf(JsonField scaling) => (scaling.Optional("rope_type") ?? scaling.Optional("type"))?.Text() ?? "default";

    private static double[] Llama3(JsonField scaling, double theta, int headDim) => RopeFrequencies.Llama3(
        theta, headDim, scaling.Required("factor").Positive(), scaling.Required("low_freq_factor").Positive(),
        scaling.Required("high_freq_factor").Positive(), scaling.Required("original_max_position_embeddings").Positive());

    private static RopeParameters ReadYarn(JsonField scaling, double theta, int headDim, ref int contextLength)
    {
        var original = scaling.Optional("original_max_position_embeddings")?.Int(1, ModelLimits.MaxContext) ?? contextLength;
        var factor = scaling.Required("factor").Positive();
        var yarn = new Yarn(
            factor, original, scaling.Optional("beta_fast")?.Positive() ?? 32, scaling.Optional("beta_slow")?.Positive() ?? 1,
            scaling.Optional("truncate")?.Flag() ?? true);
        contextLength = (int)Math.Min(ModelLimits.MaxContext, Math.Max(contextLength, original * factor));
        return new RopeParameters(RopeStyle.Halves, yarn.Frequencies(theta, headDim), (float)Magnitude(scaling, yarn));
    }

    private static double Magnitude(JsonField scaling, Yarn yarn)
    {
        if (scaling.Optional("attention_factor") is { } given) return given.Positive();
        var (scale, all) = (scaling.Optional("mscale")?.Real() ?? 0, scaling.Optional("mscale_all_dim")?.Real() ?? 0);
        return scale > 0 && all > 0 ? yarn.MagnitudeOf(scale) / yarn.MagnitudeOf(all) : yarn.DefaultMagnitude;
    }
}
