using System.Runtime.CompilerServices;

namespace LServe.Cpu;

/// <summary>Scores of several queries as one per page. Rows have room up to a whole vector.</summary>
internal static unsafe class PageShares<L, F>
    where L : ILanes<F>
    where F : struct
{
    /// <summary>The best of all queries.</summary>
    /// <param name="scores">[queries, stride].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Best(float* scores, int queries, int stride, int pages, float* to)
    {
        new Span<float>(to, stride).Fill(float.NegativeInfinity);
        for (var q = 0; q < queries; q++, scores += stride)
            for (var p = 0; p < pages; p += L.Width)
                L.Store(to + p, L.Max(L.Load(to + p), L.Load(scores + p)));
    }

    /// <summary>The mean of each query's softmax over all pages. Pages without a score have none.</summary>
    /// <param name="scores">[queries, stride], room up to a whole vector; destroyed.</param>
    /// <param name="scale">What scores are multiplied by, log₂e included.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Mean(float* scores, int queries, int stride, int pages, float scale, float* to)
    {
        for (var p = 0; p < pages; p += L.Width)
            L.Store(to + p, L.SelectBelow(L.Load(scores + p), L.Fill(float.MinValue), L.Fill(float.NegativeInfinity), L.Fill(0)));
        for (var q = 0; q < queries; q++, scores += stride)
        {
            for (var p = pages; p % L.Width != 0; p++) scores[p] = float.NegativeInfinity;
            var top = L.Fill(float.NegativeInfinity);
            for (var p = 0; p < pages; p += L.Width) top = L.Max(top, L.Load(scores + p));
            var most = L.Largest(top);
            if (float.IsInfinity(most)) continue;
            F factor = L.Fill(scale), shift = L.Fill(-most * scale), sum = L.Fill(0);
            for (var p = 0; p < pages; p += L.Width)
            {
                var weight = Exponential<L, F>.PowerOfTwo(L.MultiplyAdd(L.Load(scores + p), factor, shift));
                L.Store(scores + p, weight);
                sum = L.Add(sum, weight);
            }
            var inverse = L.Fill(1 / (L.Sum(sum) * queries));
            for (var p = 0; p < pages; p += L.Width) L.Store(to + p, L.MultiplyAdd(L.Load(scores + p), inverse, L.Load(to + p)));
        }
    }
}
