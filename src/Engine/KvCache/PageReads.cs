namespace LServe.Inference;

/// <summary>KV pages that heads read in decode steps and pages they held then, summed over layers and KV heads.</summary>
public readonly record struct PageReads(long Read, long Held)
{
    public static PageReads operator +(PageReads a, PageReads b) => new(a.Read + b.Read, a.Held + b.Held);

    /// <summary>A decode step at a position, of which a choice reads its whole budget (LServe, arXiv 2502.14866, section 3.5).</summary>
    public static PageReads OfStep(KvGeometry geometry, AttentionMode mode, int position)
    {
        var pages = KvGeometry.PagesFor(position + 1);
        if (mode == AttentionMode.Dense || geometry.LServe is not { } options)
        {
            var all = (long)pages * geometry.Layers * geometry.KvHeads;
            return new(all, all);
        }
        var sink = Math.Min(pages, KvGeometry.PagesFor(options.Sink));
        var window = sink + pages - Math.Max(sink, Math.Max(0, position + 1 - options.Local) / KvGeometry.PageTokens);
        var chosen = options.Policy == SelectionPolicy.All ? pages : Math.Min(pages, options.BudgetPages);
        var streaming = (long)window * geometry.HeadsOf(KvPool.Streaming);
        return new(streaming + (long)chosen * geometry.HeadsOf(KvPool.Retrieval), streaming + (long)pages * geometry.HeadsOf(KvPool.Retrieval));
    }
}
