using System.Runtime.CompilerServices;
using LServe.Inference;

namespace LServe.Cpu;

/// <summary>
/// First-stage scores of pages from their statistics alone, of several queries that share a KV head: <c>quest</c> an upper bound of the dot
/// product (arXiv 2406.10774), <c>moments</c> q·μ + λ·sqrt(Σ q²σ²). A page scores what its best logical page does. 16 pages at a time become
/// [D][64 logical pages], so that scores need no sums across lanes.
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
    /// <param name="scores">[queries, stride] for every page; −∞ where nothing is known.</param>
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
            for (var i = page; i < end; i++) Load(kv.Head(pages, place, i), i - page, first, second);
            var logical = Math.Min(Columns, (tokens + KvGeometry.LogicalTokens - 1) / KvGeometry.LogicalTokens - page * PerPage);
            if (end == all && tokens % KvGeometry.LogicalTokens != 0) LoadOpen(open, tokens, logical - 1, first, second);
            Clear(first, second, logical);
            Panel<L, F, KvFloat>.Multiply(default, a, dim, count, (byte*)first, Columns, dim, sums, Columns, Columns, null, default);
            Panel<L, F, KvFloat>.Multiply(default, b, dim, count, (byte*)second, Columns, dim, others, Columns, Columns, null, default);
            Combine(sums, others, count * Columns);
            for (var q = 0; q < count; q++) Best(sums + q * Columns, logical, scores + (long)q * stride + page);
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Load(byte* page, int place, float* first, float* second)
    {
        var dim = kv.Geometry.HeadDim;
        var from = (ushort*)(page + kv.Layout.Statistics);
        for (var i = 0; i < dim; i++)
            for (var j = 0; j < PerPage; j++)
            {
                first[i * Columns + place * PerPage + j] = HalfBits.Table[from[i * PerPage + j]];
                var other = HalfBits.Table[from[(dim + i) * PerPage + j]];
                second[i * Columns + place * PerPage + j] = Kind == PageStatistics.Extremes ? other : other * other;
            }
    }

    private void LoadOpen(float* open, int tokens, int column, float* first, float* second)
    {
        var (dim, seen) = (kv.Geometry.HeadDim, tokens % KvGeometry.LogicalTokens);
        for (var i = 0; i < dim; i++)
        {
            first[i * Columns + column] = open[i];
            second[i * Columns + column] = Kind == PageStatistics.Extremes ? open[dim + i] : open[dim + i] / seen;
        }
    }

    /// <summary>What lies past the last logical page may be anything, NaN too.</summary>
    private void Clear(float* first, float* second, int logical)
    {
        if (logical == Columns) return;
        for (var i = 0; i < kv.Geometry.HeadDim; i++)
        {
            new Span<float>(first + i * Columns + logical, Columns - logical).Clear();
            new Span<float>(second + i * Columns + logical, Columns - logical).Clear();
        }
    }

    private void Combine(float* sums, float* others, int count)
    {
        var deviation = kv.Geometry.LServe!.Deviation;
        for (var i = 0; i < count; i++)
            sums[i] = Kind == PageStatistics.Extremes ? sums[i] + others[i] : sums[i] + deviation * MathF.Sqrt(others[i]);
    }

    private static void Best(float* logicalScores, int logical, float* scores)
    {
        for (var i = 0; i < logical; i += PerPage)
        {
            var best = float.NegativeInfinity;
            for (var j = i; j < Math.Min(logical, i + PerPage); j++)
                if (logicalScores[j] > best && float.IsFinite(logicalScores[j])) best = logicalScores[j];
            scores[i / PerPage] = best;
        }
    }
}
