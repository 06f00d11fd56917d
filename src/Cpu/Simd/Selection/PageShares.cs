namespace LServe.Cpu;

/// <summary>Scores of several queries as one per page.</summary>
internal static unsafe class PageShares<L, F>
    where L : ILanes<F>
    where F : struct
{
    /// <summary>The best of all queries.</summary>
    /// <param name="scores">[queries, stride].</param>
    public static void Best(float* scores, int queries, int stride, int pages, float* to)
    {
        new Span<float>(to, pages).Fill(float.NegativeInfinity);
        for (var q = 0; q < queries; q++, scores += stride)
            for (var p = 0; p < pages; p++)
                if (scores[p] > to[p]) to[p] = scores[p];
    }

    /// <summary>The mean of each query's softmax over all pages. Pages without a score have none.</summary>
    /// <param name="scores">[queries, stride], room up to a whole vector; destroyed.</param>
    /// <param name="scale">What scores are multiplied by, log₂e included.</param>
    public static void Mean(float* scores, int queries, int stride, int pages, float scale, float* to)
    {
        for (var p = 0; p < pages; p++) to[p] = float.IsNegativeInfinity(scores[p]) ? float.NegativeInfinity : 0;
        for (var q = 0; q < queries; q++, scores += stride)
        {
            for (var p = pages; p % L.Width != 0; p++) scores[p] = float.NegativeInfinity;
            var most = float.NegativeInfinity;
            for (var p = 0; p < pages; p++)
                if (scores[p] > most) most = scores[p];
            if (float.IsInfinity(most)) continue;
            F factor = L.Fill(scale), shift = L.Fill(-most * scale), sum = L.Fill(0);
            for (var p = 0; p < pages; p += L.Width)
            {
                var weight = Exponential<L, F>.PowerOfTwo(L.MultiplyAdd(L.Load(scores + p), factor, shift));
                L.Store(scores + p, weight);
                sum = L.Add(sum, weight);
            }
            var inverse = 1 / (L.Sum(sum) * queries);
            for (var p = 0; p < pages; p++) to[p] += scores[p] * inverse;
        }
    }
}
