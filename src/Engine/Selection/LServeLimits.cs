namespace LServe.Inference;

/// <summary>Refuses LServe options that can't work.</summary>
public static class LServeLimits
{
    /// <param name="context">Tokens of the longest sequence.</param>
    /// <exception cref="ArgumentException">Names the option, its value and the fix.</exception>
    public static void Check(LServeOptions options, int context, KvPrecision precision, int headDim)
    {
        const int page = KvGeometry.PageTokens;
        Require(options.Sink >= 0, "sink", options.Sink, "0 or more");
        Require(options.Local >= 1, "local", options.Local, "at least 1, the current token");
        Require((long)options.Sink + options.Local <= context, "sink + local", options.Sink + options.Local, $"at most the context of {context}; use smaller windows or a longer context");
        Require(options.SinkPages >= 0, "sink-pages", options.SinkPages, "0 or more");
        Require(options.RecentPages >= 1, "recent-pages", options.RecentPages, "at least 1, the page of the current token");
        CheckBudget("budget", options.Budget, options);
        CheckBudget("prefill-budget", options.PrefillBudget, options);
        Require(options.Renewal is >= 1 and <= LServeOptions.MaxRenewal, "renewal", options.Renewal, $"1 to {LServeOptions.MaxRenewal}, since a page that opens renews anyway");
        Require(options.Candidates >= 1, "candidates", options.Candidates, "at least 1 budget");
        Require(options.SketchBits is >= 1 and <= 4, "sketch-bits", options.SketchBits, "1 to 4, the bits of the keys' high plane");
        Require(options.PrefillThreshold >= page, "prefill-threshold", options.PrefillThreshold, $"at least one page of {page} tokens");
        if (!float.IsFinite(options.Deviation) || options.Deviation < 0)
            throw new ArgumentException($"deviation is {options.Deviation}; it must be a number of at least 0.");
        CheckPrecision(precision, headDim);
    }

    /// <exception cref="ArgumentException">4-bit numbers lie in pairs, so an odd head dimension can't have them.</exception>
    public static void CheckPrecision(KvPrecision precision, int headDim)
    {
        if (precision.IsQuantised() && headDim % 2 != 0)
            throw new ArgumentException($"kv is {precision} and the model's heads have {headDim} channels; fewer than 16 bits need an even number. Use f16.");
    }

    private static void CheckBudget(string name, int budget, LServeOptions options)
    {
        const int page = KvGeometry.PageTokens;
        var forced = (options.SinkPages + options.RecentPages) * page;
        Require(budget > 0 && budget % page == 0, name, budget, $"a multiple of {page}, such as {Math.Max(forced, (budget + page - 1) / page * page)}");
        Require(budget >= forced, name, budget, $"at least {forced}: {options.SinkPages} sink and {options.RecentPages} recent pages of {page} tokens are always read");
    }

    private static void Require(bool holds, string option, long value, string allowed)
    {
        if (!holds) throw new ArgumentException($"{option} is {value}; it must be {allowed}.");
    }
}
