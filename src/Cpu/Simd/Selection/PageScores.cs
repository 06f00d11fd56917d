using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LServe.Inference;

namespace LServe.Cpu;

/// <summary>
/// First-stage scores of pages from their statistics alone, of several queries that share a KV head: <c>quest</c> an upper bound of the dot
/// product (arXiv 2406.10774), <c>moments</c> q·μ + λ·sqrt(Σ q²σ²). A page scores what its best logical page does. 16 pages at a time become
/// [D][4 logical pages][16 pages], so that neither scores nor the best of four need sums across lanes.
/// </summary>
internal sealed unsafe class PageScores<L, F>(KvPages kv)
    where L : ILanes<F>
    where F : struct
{
    private const int PerPage = KvGeometry.PageTokens / KvGeometry.LogicalTokens;
    private const int ChunkPages = 16;
    private const int Columns = ChunkPages * PerPage;

    /// <summary>Floats of scratch for <paramref name="queries"/> queries.</summary>
    public static long ScratchFloats(int queries, int dim) => 2L * dim * Columns + 2L * queries * (dim + Columns);

    /// <param name="tokens">Tokens that have statistics.</param>
    /// <param name="open">[2][D] of the open logical page, or null when every one is complete.</param>
    /// <param name="queries">[queries, D].</param>
    /// <param name="scores">[queries, stride] for every page; −∞ where nothing is known. Up to 15 more of a row are overwritten.</param>
    public void Score(
        TwoWayPageTable pages, HeadPlace place, int tokens, float* open, float* queries, int count, float* scores, int stride, float* scratch)
    {
        var dim = kv.Geometry.HeadDim;
        float* first = scratch, second = first + (long)dim * Columns, a = second + (long)dim * Columns, b = a + (long)count * dim;
        float* sums = b + (long)count * dim, others = sums + (long)count * Columns;
        Prepare(queries, count * dim, a, b);
        var all = KvGeometry.PagesFor(tokens);
        for (var page = 0; page < all; page += ChunkPages)
        {
            var end = Math.Min(all, page + ChunkPages);
            for (var i = page; i < end; i++)
            {
                var next = i + 1 < end ? new Ahead(kv.Head(pages, place, i + 1) + kv.Layout.Statistics, kv.Geometry.StatisticsBytes, 1) : default;
                next.Rest();
                Load((ushort*)(kv.Head(pages, place, i) + kv.Layout.Statistics), first + i - page, second + i - page);
            }
            if (end == all && tokens % KvGeometry.LogicalTokens != 0) LoadOpen(open, tokens, end - 1 - page, first, second);
            Panel<L, F, KvFloat>.Multiply(default, a, dim, count, (byte*)first, Columns, dim, sums, Columns, Columns, null, default);
            Panel<L, F, KvFloat>.Multiply(default, b, dim, count, (byte*)second, Columns, dim, others, Columns, Columns, null, default);
            Combine(sums, others, count * Columns);
            if (end == all) ForgetMissing(sums, count, tokens, end - 1 - page);
            for (var q = 0; q < count; q++) Best(sums + q * Columns, scores + (long)q * stride + page);
        }
    }

    private PageStatistics Kind => kv.Geometry.LServe!.Statistics;

    /// <summary>quest: the positive and the negative part. moments: the query and its squares.</summary>
    private void Prepare(float* queries, int count, float* a, float* b)
    {
        for (var i = 0; i < count; i++)
        {
            var q = queries[i];
            (a[i], b[i]) = Kind == PageStatistics.Extremes ? (MathF.Max(q, 0), MathF.Min(q, 0)) : (q, q * q);
        }
    }

    /// <summary>Every machine with vectors has those of four floats: a channel's four logical pages.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Load(ushort* from, float* first, float* second)
    {
        var (dim, squared) = (kv.Geometry.HeadDim, Kind == PageStatistics.Moments);
        for (var i = 0; i < dim; i++, from += PerPage, first += Columns, second += Columns)
        {
            Vector128<float> one = OrNaN(Lanes128.LoadHalf(from)), other = OrNaN(Lanes128.LoadHalf(from + dim * PerPage));
            if (squared) other *= other;
            for (var j = 0; j < PerPage; j++) (first[j * ChunkPages], second[j * ChunkPages]) = (one[j], other[j]);
        }
    }

    /// <summary>The conversion is exact for numbers, and gives larger ones for what is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> OrNaN(Vector128<float> x) =>
        Vector128.ConditionalSelect(Vector128.GreaterThan(Vector128.Abs(x), Vector128.Create(HalfBits.Largest)), Vector128.Create(float.NaN), x);

    private void LoadOpen(float* open, int tokens, int place, float* first, float* second)
    {
        var (dim, seen) = (kv.Geometry.HeadDim, tokens % KvGeometry.LogicalTokens);
        var column = tokens / KvGeometry.LogicalTokens % PerPage * ChunkPages + place;
        for (var i = 0; i < dim; i++)
        {
            first[i * Columns + column] = open[i];
            second[i * Columns + column] = Kind == PageStatistics.Extremes ? open[dim + i] : open[dim + i] / seen;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Combine(float* sums, float* others, int count)
    {
        var (deviation, extremes) = (L.Fill(kv.Geometry.LServe!.Deviation), Kind == PageStatistics.Extremes);
        for (var i = 0; i < count; i += L.Width)
        {
            F sum = L.Load(sums + i), other = L.Load(others + i);
            L.Store(sums + i, extremes ? L.Add(sum, other) : L.MultiplyAdd(deviation, L.Sqrt(other), sum));
        }
    }

    /// <summary>Logical pages past the last may hold anything.</summary>
    private static void ForgetMissing(float* sums, int count, int tokens, int place)
    {
        var logical = (tokens + KvGeometry.LogicalTokens - 1) / KvGeometry.LogicalTokens;
        for (var j = (logical - 1) % PerPage + 1; j < PerPage; j++)
            for (var q = 0; q < count; q++)
                sums[q * Columns + j * ChunkPages + place] = float.NegativeInfinity;
    }

    /// <summary>NaN and +∞ count as nothing: keys that are no numbers must not choose their page.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Best(float* logicalScores, float* scores)
    {
        for (var i = 0; i < ChunkPages; i += L.Width)
        {
            var best = L.Fill(float.NegativeInfinity);
            for (var j = 0; j < PerPage; j++)
            {
                var score = L.Load(logicalScores + j * ChunkPages + i);
                best = L.Max(best, L.SelectBelow(score, L.Fill(float.PositiveInfinity), score, L.Fill(float.NegativeInfinity)));
            }
            L.Store(scores + i, best);
        }
    }
}
