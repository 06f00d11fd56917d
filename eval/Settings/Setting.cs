using LServe.Inference;
using LServe.Model;

namespace LServe.Eval;

/// <summary>One row of a table: how the model attends.</summary>
/// <param name="LServe">Null: densely.</param>
internal sealed record Setting(string Name, KvPrecision Kv, LServeOptions? LServe)
{
    /// <summary>Share of the KV heads that stream; 0 without a pattern.</summary>
    public double Share { get; init; } = 0.5;

    /// <summary>Whether quantised keys are centred by the pattern's means.</summary>
    public bool Centred { get; init; } = true;

    /// <summary>
    /// Whether a prompt of <paramref name="length"/> tokens leaves the same cache with both settings: what reads it afterwards may differ, and
    /// what is chosen for prompts only if they are long enough to choose.
    /// </summary>
    public bool PromptsAs(Setting other, int length) => (Kv, Share, Centred) == (other.Kv, other.Share, other.Centred) && PromptOptions(length) == other.PromptOptions(length);

    private (int, int, PageStatistics, LServeOptions?)? PromptOptions(int length) =>
        LServe is not { } options ? null : (options.Sink, options.Local, options.Statistics, length > options.PrefillThreshold ? options : null);

    /// <summary>Pools with room for <paramref name="tokens"/> tokens of each of <paramref name="sequences"/>.</summary>
    /// <exception cref="ArgumentException">The setting can't work; says why.</exception>
    public KvGeometry Geometry(ModelConfig config, HeadPattern? pattern, int sequences, int tokens)
    {
        var pages = sequences * KvGeometry.PagesFor(tokens);
        var dense = new KvGeometry(config.Layers, config.KvHeads, config.HeadDim, Kv, pages) { Centres = Centred ? pattern?.Centres : null };
        if (LServe is null) return dense;
        LServeLimits.Check(LServe, config.ContextLength, Kv, config.HeadDim);
        if (Share == 0) return dense with { LServe = LServe };
        if (pattern is null) throw new ArgumentException($"{Name} has streaming heads; name a head pattern with --pattern FOLDER.");
        var heads = HeadLayout.Of(pattern with { Share = Share });
        return dense with { LServe = LServe, Heads = heads, StreamingPages = heads.AnyStreams ? pages : 0 };
    }
}
