using LServe.Inference;

namespace LServe.Silo;

/// <summary>The options of attention and of the KV cache.</summary>
internal static class AttentionDefinitions
{
    private const int MaxTokens = 1 << 30;

    private static readonly LServeOptions s_defaults = new();

    public static OptionDefinition[] All { get; } =
    [
        OptionDefinition.Choice("--attention", "How new conversations attend: to every token, or sparsely (dense)", Modes(), (o, mode) => o with { Attention = mode }),
        OptionDefinition.Choice("--kv", "How keys and values are kept (f16)", Precisions(), (o, kv) => o with { Kv = kv }),
        new("--pattern", "FOLDER", "Head pattern of the model: which heads stream; none for no streaming heads (the bundled model's own)", (o, text) => o with { Pattern = text }),
        OptionDefinition.Number("--sink", "Tokens at the start that streaming heads see (the pattern's)", 0, MaxTokens, (o, n) => o with { Sink = n }),
        OptionDefinition.Number("--local", "Tokens at the end that streaming heads see (the pattern's)", 1, MaxTokens, (o, n) => o with { Local = n }),
        OptionDefinition.Choice("--policy", "How retrieval heads choose pages (two-stage)", Policies(), (o, policy) => o with { Sparse = o.Sparse with { Policy = policy } }),
        Sparse("--budget", $"Tokens a retrieval head reads in a step, a multiple of {KvGeometry.PageTokens} ({s_defaults.Budget})", 0, MaxTokens, (s, n) => s with { Budget = n }),
        Sparse("--renewal", $"Positions from one renewal of the choice to the next ({s_defaults.Renewal})", 0, MaxTokens, (s, n) => s with { Renewal = n }),
        Sparse("--candidates", $"Budgets that the first stage of two-stage keeps ({s_defaults.Candidates})", 0, MaxTokens, (s, n) => s with { Candidates = n }),
        Sparse("--sketch-bits", $"Bits of a key's code that the second stage of two-stage reads ({s_defaults.SketchBits})", 0, MaxTokens, (s, n) => s with { SketchBits = n }),
        Sparse("--prefill-threshold", $"Position from which on prompts choose pages ({s_defaults.PrefillThreshold})", 0, MaxTokens, (s, n) => s with { PrefillThreshold = n }),
        Sparse("--prefill-budget", $"Tokens that a block of a prompt reads of what came before ({s_defaults.PrefillBudget})", 0, MaxTokens, (s, n) => s with { PrefillBudget = n }),
    ];

    private static OptionDefinition Sparse(string name, string explanation, int least, int most, Func<LServeOptions, int, LServeOptions> set) =>
        OptionDefinition.Number(name, explanation, least, most, (o, n) => o with { Sparse = set(o.Sparse, n) });

    private static (string, AttentionMode)[] Modes() => [("dense", AttentionMode.Dense), ("lserve", AttentionMode.LServe)];

    private static (string, KvPrecision)[] Precisions() =>
        [("f16", KvPrecision.F16), ("int8", KvPrecision.Int8), ("k8v4", KvPrecision.K8V4), ("int4", KvPrecision.Int4)];

    private static (string, SelectionPolicy)[] Policies() =>
        [("all", SelectionPolicy.All), ("quest", SelectionPolicy.Quest), ("moments", SelectionPolicy.Moments), ("two-stage", SelectionPolicy.TwoStage)];
}
