using LServe.Inference;

namespace LServe.Cpu;

/// <summary>Which pages a retrieval head of a sparse sequence reads (LServe, arXiv 2502.14866, section 3.5).</summary>
internal static class ReferenceSelect
{
    /// <summary>The choice of a query block of a slice, or of its decode row; null: everything is read.</summary>
    public static int[]? Pages(AttentionLayer layer, ReferenceKv kv, in StepSlice slice, int kvHead, int block, HostBuffer qkv)
    {
        var (head, options) = (new ReferenceHead(kv, layer.Index, kvHead, slice), kv.Geometry.LServe!);
        var (at, end) = (ReferenceChoices.BlockStart(slice, block), ReferenceChoices.BlockEnd(slice, block));
        if (head.Place.Streams || (slice.Kind == SliceKind.Prefill && at < options.PrefillThreshold)) return null;
        var queries = new List<float[]>();
        var (group, dim) = (layer.Config.GroupSize, layer.Config.HeadDim);
        for (var position = at; position < end; position++)
            for (var query = kvHead * group; query < (kvHead + 1) * group; query++)
                queries.Add(qkv.Values(slice.FirstRow + position - slice.Start).Slice(query * dim, dim).ToArray());
        double[][] plain = [.. queries.Select(q => ReferenceKv.Widen(q))];
        return slice.Kind == SliceKind.Prefill ? Block(head, options, plain, at) : Decode(head, options, plain, [.. queries.Select(q => kv.Query(q))]);
    }

    /// <summary>For a decode row, its own token already appended. Keeps in the sequence's state what lasts until the next renewal.</summary>
    /// <param name="queries">[query][D] of the group, after RoPE: statistics are in this basis.</param>
    /// <param name="rotated">The same in the basis of the cached keys.</param>
    private static int[] Decode(ReferenceHead head, LServeOptions options, double[][] queries, double[][] rotated)
    {
        var (state, place, tokens) = (head.Slice.Selection!, head.Place.Place, head.Slice.Start + 1);
        if (options.Policy == SelectionPolicy.Oracle)
        {
            var all = Enumerable.Range(0, ReferenceHead.PagesOf(tokens));
            return Choose(ReferenceMass.OfPages(head, rotated, all, tokens, sketchBits: null), options.BudgetPages, options);
        }
        if (head.Slice.Renew) Keep(state, place, Choose(FirstStage(head, options, queries, tokens), options.KeptPages, options));
        var kept = state.Kept(place).ToArray();
        if (kept.Length == 0) throw new InvalidOperationException($"Position {head.Slice.Start} has no pages kept for it: the first step after a prompt renews.");
        return options.Policy == SelectionPolicy.TwoStage ? Refine(head, options, rotated, kept, tokens) : kept;
    }

    /// <summary>For the rows of a prompt's query block: of the pages complete before its first row, at <paramref name="at"/>.</summary>
    /// <param name="queries">[query][D] of all rows of the block and heads of the group.</param>
    private static int[] Block(ReferenceHead head, LServeOptions options, double[][] queries, int at)
    {
        var past = at / KvGeometry.PageTokens * KvGeometry.PageTokens;
        return Choose(FirstStage(head, options, queries, past), options.PrefillBudget / KvGeometry.PageTokens, options);
    }

    private static double[] FirstStage(ReferenceHead head, LServeOptions options, double[][] queries, int tokens)
    {
        var scores = Array.ConvertAll(queries, _ => new double[ReferenceHead.PagesOf(tokens)]);
        for (var page = 0; page < ReferenceHead.PagesOf(tokens); page++)
        {
            var statistics = head.Statistics(page, tokens);
            for (var q = 0; q < queries.Length; q++)
                scores[q][page] = ReferenceScores.Best(statistics.Select(s => ReferenceScores.Logical(queries[q], s, options.Statistics, options.Deviation)));
        }
        return ReferenceScores.Combine(scores, options.Policy, queries[0].Length);
    }

    /// <summary>Second stage: among the candidates, however old, and today's forced pages those that sketches of the keys give the most attention.</summary>
    private static int[] Refine(ReferenceHead head, LServeOptions options, double[][] rotated, int[] candidates, int tokens)
    {
        var forced = ReferenceChoose.Forced(ReferenceHead.PagesOf(tokens), options.SinkPages, options.RecentPages);
        int[] eligible = [.. candidates.Union(forced).Order()];
        return eligible.Length <= options.BudgetPages
            ? eligible
            : Choose(ReferenceMass.OfPages(head, rotated, eligible, tokens, options.SketchBits), options.BudgetPages, options);
    }

    private static int[] Choose(double[] scores, int keep, LServeOptions options) =>
        ReferenceChoose.Pages(scores, keep, options.SinkPages, options.RecentPages);

    private static void Keep(SelectionState state, int place, int[] pages)
    {
        pages.CopyTo(state.KeptRoom(place));
        state.SetKept(place, pages.Length);
    }
}
