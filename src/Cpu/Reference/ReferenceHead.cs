using LServe.Inference;

namespace LServe.Cpu;

/// <summary>One KV head of one layer of a sequence: what its pages hold.</summary>
internal readonly struct ReferenceHead(ReferenceKv kv, int layer, int head, StepSlice slice)
{
    public HeadPlace Place => kv.Geometry.Heads[layer, head];

    public StepSlice Slice => slice;

    /// <summary>q · k / sqrt(D) of a query, in the basis of the keys, with the keys of tokens.</summary>
    /// <param name="sketchBits">High bits of the keys' codes to look at; null: all.</param>
    public double[] Scores(ReadOnlySpan<double> query, ReadOnlySpan<int> tokens, int? sketchBits)
    {
        var scores = new double[tokens.Length];
        Span<double> key = stackalloc double[query.Length];
        for (var i = 0; i < scores.Length; i++)
        {
            kv.Key(layer, head, slice.Pages, tokens[i], sketchBits, key);
            var dot = 0.0;
            for (var c = 0; c < key.Length; c++) dot += query[c] * key[c];
            scores[i] = dot / Math.Sqrt(query.Length);
        }
        return scores;
    }

    /// <summary>Σ weight · value over tokens, in the values' own basis.</summary>
    public void Mix(ReadOnlySpan<double> weights, ReadOnlySpan<int> tokens, Span<float> output)
    {
        Span<double> value = stackalloc double[output.Length], sums = stackalloc double[output.Length];
        sums.Clear();
        for (var i = 0; i < tokens.Length; i++)
        {
            kv.Value(layer, head, slice.Pages, tokens[i], value);
            for (var c = 0; c < sums.Length; c++) sums[c] += weights[i] * value[c];
        }
        if (kv.Rotated) ReferenceRotation.InPlace(sums);
        for (var c = 0; c < sums.Length; c++) output[c] = (float)sums[c];
    }

    /// <summary>Statistics [2, D] of each logical page of a page, of the first <paramref name="tokens"/> tokens.</summary>
    public List<double[]> Statistics(int page, int tokens)
    {
        var kind = kv.Geometry.LServe!.Statistics;
        var numbers = new List<double[]>();
        for (var first = page * KvGeometry.PageTokens; first < Math.Min(tokens, (page + 1) * KvGeometry.PageTokens); first += KvGeometry.LogicalTokens)
        {
            var count = Math.Min(KvGeometry.LogicalTokens, tokens - first);
            numbers.Add(count < KvGeometry.LogicalTokens ? Open(kind, count) : Closed(page, first / KvGeometry.LogicalTokens));
        }
        return numbers;
    }

    public static int PageOf(int token) => token / KvGeometry.PageTokens;

    public static int PagesOf(int tokens) => KvGeometry.PagesFor(tokens);

    /// <summary>Tokens of a page, of the first <paramref name="tokens"/>.</summary>
    public static IEnumerable<int> TokensOf(int page, int tokens) =>
        Enumerable.Range(page * KvGeometry.PageTokens, Math.Min(KvGeometry.PageTokens, tokens - page * KvGeometry.PageTokens));

    private double[] Open(PageStatistics kind, int count)
    {
        var open = slice.Selection!.Open(Place.Place);
        var finished = new float[open.Length];
        ReferenceStatistics.Finish(kind, count, open, finished);
        return Array.ConvertAll(finished, number => (double)number);
    }

    private double[] Closed(int page, int logical)
    {
        var stored = kv.Page(layer, head, slice.Pages, page).Statistics(logical % (KvGeometry.PageTokens / KvGeometry.LogicalTokens));
        return Array.ConvertAll(stored.ToArray(), number => (double)number);
    }
}
