using LServe.Model;

namespace LServe.Inference;

/// <summary>Turns options into the ones in force, and refuses those that can't work.</summary>
public static class EngineLimits
{
    /// <summary>Contexts that fit the page pool when its size is left open.</summary>
    public const int DefaultContexts = 4;

    /// <exception cref="ArgumentException">Names the option, its value and the fix.</exception>
    public static EngineOptions Resolve(EngineOptions options, ModelConfig config)
    {
        var context = options.ContextLength == 0 ? config.ContextLength : options.ContextLength;
        Require(context is >= 2 && context <= config.ContextLength, "context", context, $"2 to {config.ContextLength}, which is what the model was made for");
        var kvTokens = options.KvTokens == 0 ? Math.Min((long)context * DefaultContexts, int.MaxValue / 2) : options.KvTokens;
        Require(kvTokens >= context, "kv-tokens", kvTokens, $"at least the context of {context}, so that one sequence always fits");
        Require(options.MaxBatch is >= 1 and <= 4096, "max-batch", options.MaxBatch, "1 to 4096");
        Require(options.PrefillRows is >= 1 and <= 16384, "prefill-rows", options.PrefillRows, "1 to 16384");
        Require(options.PrefillRowsBesideDecode >= 1 && options.PrefillRowsBesideDecode <= options.PrefillRows,
            "prefill-rows-beside-decode", options.PrefillRowsBesideDecode, $"1 to prefill-rows ({options.PrefillRows})");
        LServeLimits.CheckPrecision(options.KvPrecision, config.HeadDim);
        if (options.LServe is { } sparse) LServeLimits.Check(sparse, context, options.KvPrecision, config.HeadDim);
        options.Pattern?.CheckFor(config);
        Require(options.MaxWaiting >= 0, "max-waiting", options.MaxWaiting, "0 or more");
        Require(options.EventBuffer >= 4, "event-buffer", options.EventBuffer, "4 or more");
        return options with { ContextLength = context, KvTokens = (int)kvTokens };
    }

    /// <summary>Rows: most that a step can have. A sparse prompt is cut only where a query block ends.</summary>
    public static int MaxRows(EngineOptions options) =>
        options.MaxBatch + options.PrefillRows + (options.LServe is null ? 0 : LServeOptions.QueryBlock);

    /// <summary>The pools that resolved options ask for.</summary>
    /// <remarks>
    /// The streaming pool has room for the windows of a full batch of sparse sequences and for one dense context, and never more than
    /// the retrieval pool.
    /// </remarks>
    public static KvGeometry GeometryOf(EngineOptions options, ModelConfig config)
    {
        var pages = KvGeometry.PagesFor(options.KvTokens);
        var heads = options.LServe is not null && options.Pattern is { } pattern ? HeadLayout.Of(pattern) : HeadLayout.AllRetrieval(config.Layers, config.KvHeads);
        var geometry = new KvGeometry(config.Layers, config.KvHeads, config.HeadDim, options.KvPrecision, pages)
        {
            Heads = heads, LServe = options.LServe, Centres = options.Pattern?.Centres, GroupSize = config.GroupSize,
        };
        if (!heads.AnyStreams) return geometry;
        var chunk = KvGeometry.PagesFor(options.PrefillRows) + 1;
        var windows = (long)options.MaxBatch * geometry.WindowPages + chunk + KvGeometry.PagesFor(options.ContextLength);
        return geometry with { StreamingPages = (int)Math.Min(pages, windows) };
    }

    private static void Require(bool holds, string option, long value, string allowed)
    {
        if (!holds) throw new ArgumentException($"{option} is {value}; it must be {allowed}.");
    }
}
