using System.Runtime.CompilerServices;
using LServe.Inference;

namespace LServe.Cpu;

/// <summary>
/// The running softmax of one query over pages (Milakov and Gimelshein, arXiv 1805.02867), in powers of two: scores come multiplied by
/// log₂e. State: largest score so far, sum of weights relative to it, and the sum of weighted values that goes with them.
/// </summary>
internal static unsafe class OnlineSoftmax<L, F>
    where L : ILanes<F>
    where F : struct
{
    /// <summary>The largest score of nothing: far below any, and finite, so that differences of two stay numbers.</summary>
    public const float Nothing = -1e30f;

    /// <summary>
    /// Turns the scores of a page into weights, those from <paramref name="visible"/> on into zeros, and adds them to the state.
    /// Returns what the sum of values must be multiplied by before the page's are added.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Add(float* scores, int visible, float* largest, float* sum)
    {
        var top = L.Fill(Nothing);
        for (var i = 0; i < KvGeometry.PageTokens; i += L.Width)
        {
            var score = L.Load(scores + i);
            if (visible < KvGeometry.PageTokens)
            {
                score = L.MaskAfter(score, visible - i);
                L.Store(scores + i, score);
            }
            top = L.Max(top, score);
        }
        var highest = LanesScalar.Max(*largest, L.Largest(top));
        var total = L.Fill(0);
        for (var i = 0; i < KvGeometry.PageTokens; i += L.Width)
        {
            var weight = Exponential<L, F>.PowerOfTwo(L.Subtract(L.Load(scores + i), L.Fill(highest)));
            L.Store(scores + i, weight);
            total = L.Add(total, weight);
        }
        var factor = Exponential<LanesScalar, float>.PowerOfTwo(*largest - highest);
        *sum = MathF.FusedMultiplyAdd(*sum, factor, L.Sum(total));
        *largest = highest;
        return factor;
    }

    /// <summary>Adds the state of later pages to one of earlier ones. A state that saw nothing changes nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Merge(float* largest, float* sum, float* values, float laterLargest, float laterSum, float* laterValues, int channels)
    {
        if (laterSum == 0) return;
        var highest = LanesScalar.Max(*largest, laterLargest);
        var factor = Exponential<LanesScalar, float>.PowerOfTwo(*largest - highest);
        var laterFactor = Exponential<LanesScalar, float>.PowerOfTwo(laterLargest - highest);
        for (var i = 0; i < channels; i += L.Width)
        {
            var earlier = L.Multiply(L.Load(values + i), L.Fill(factor));
            L.Store(values + i, L.MultiplyAdd(L.Load(laterValues + i), L.Fill(laterFactor), earlier));
        }
        *sum = MathF.FusedMultiplyAdd(laterSum, laterFactor, *sum * factor);
        *largest = highest;
    }

    /// <summary>output = values / sum. Adding zero makes every zero a positive one: masked tokens add zeros, which would otherwise show in a sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Finish(float sum, float* values, float* output, int channels)
    {
        var inverse = 1 / sum;
        for (var i = 0; i < channels; i += L.Width) L.Store(output + i, L.MultiplyAdd(L.Load(values + i), L.Fill(inverse), L.Fill(0)));
    }
}
