using System.Runtime.CompilerServices;
using LServe.Inference;

namespace LServe.Cpu;

/// <summary>
/// The statistics of a logical page while its tokens arrive: float32 accumulators in token order, the same in prefill, decode and replay;
/// rounded to binary16 once, when the page is complete. A fresh page stores its first token, whatever was there before.
/// </summary>
internal static unsafe class OpenPage<L, F>
    where L : ILanes<F>
    where F : struct
{
    private const int Logical = KvGeometry.LogicalTokens;
    private const int PerPage = KvGeometry.PageTokens / Logical;
    private const ushort NaN = 0x7E00;

    /// <param name="open">[2][D]: maximum and minimum, or mean and sum of squared deviations (Welford 1962).</param>
    /// <param name="statistics">[2][D][4] of the physical page.</param>
    public static void Add(float* open, PageStatistics kind, float* key, int dim, int position, ushort* statistics)
    {
        var seen = position % Logical;
        if (kind == PageStatistics.Extremes) AddExtremes(open, open + dim, key, dim, seen == 0);
        else AddMoments(open, open + dim, key, dim, seen + 1);
        if (seen == Logical - 1) Close(open, kind, dim, statistics + position / Logical % PerPage);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddExtremes(float* most, float* least, float* key, int dim, bool fresh)
    {
        for (var i = 0; i < dim; i += L.Width)
        {
            F x = L.Load(key + i), minus = L.Multiply(x, L.Fill(-1));
            L.Store(most + i, fresh ? x : L.Max(x, L.Load(most + i)));
            var other = fresh ? minus : L.Max(minus, L.Multiply(L.Load(least + i), L.Fill(-1)));
            L.Store(least + i, L.Multiply(other, L.Fill(-1)));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddMoments(float* mean, float* squares, float* key, int dim, int count)
    {
        for (var i = 0; i < dim; i += L.Width)
        {
            var x = L.Load(key + i);
            if (count == 1)
            {
                L.Store(mean + i, x);
                L.Store(squares + i, L.Fill(0));
                continue;
            }
            F before = L.Load(mean + i), difference = L.Subtract(x, before);
            var after = L.Add(before, L.Divide(difference, L.Fill(count)));
            L.Store(mean + i, after);
            L.Store(squares + i, L.Add(L.Load(squares + i), L.Multiply(difference, L.Subtract(x, after))));
        }
    }

    private static void Close(float* open, PageStatistics kind, int dim, ushort* statistics)
    {
        for (var i = 0; i < dim; i++)
        {
            var second = kind == PageStatistics.Extremes ? open[dim + i] : MathF.Sqrt(open[dim + i] / Logical);
            statistics[i * PerPage] = Half(open[i]);
            statistics[(dim + i) * PerPage] = Half(second);
        }
    }

    /// <summary>What is no number stays none, so that it never chooses its page.</summary>
    private static ushort Half(float value) => float.IsFinite(value) ? HalfBits.FromSingle(value) : NaN;
}
