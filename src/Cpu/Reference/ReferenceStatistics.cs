using LServe.Inference;

namespace LServe.Cpu;

/// <summary>
/// Statistics of logical pages, of keys after RoPE and before centring, rotation and quantisation: per channel the maximum and minimum
/// (Quest, arXiv 2406.10774) or the mean and the population deviation. A page that is open gathers in float32, token by token in
/// their order; a page that closes is rounded to float16 once. So prompts, decode steps and replays agree.
/// </summary>
internal static class ReferenceStatistics
{
    /// <summary>Adds the key of <paramref name="position"/> to the open page; the first token of a page replaces whatever was there.</summary>
    /// <param name="open">[2, D]: maximum and minimum, or mean and sum of squared deviations (Welford's).</param>
    public static void Append(PageStatistics kind, int position, ReadOnlySpan<float> key, Span<float> open)
    {
        Span<float> first = open[..key.Length], second = open[key.Length..];
        var count = position % KvGeometry.LogicalTokens + 1;
        for (var i = 0; i < key.Length; i++)
        {
            var x = key[i];
            if (count == 1) (first[i], second[i]) = (x, kind == PageStatistics.Extremes ? x : 0);
            else if (kind == PageStatistics.Extremes) (first[i], second[i]) = (MathF.Max(first[i], x), MathF.Min(second[i], x));
            else
            {
                var d = x - first[i];
                first[i] += d / count;
                second[i] += d * (x - first[i]);
            }
        }
    }

    /// <summary>The numbers [2, D] that scores are made of: maximum and minimum, or mean and deviation, of the first <paramref name="count"/> tokens.</summary>
    public static void Finish(PageStatistics kind, int count, ReadOnlySpan<float> open, Span<float> to)
    {
        open.CopyTo(to);
        if (kind == PageStatistics.Moments)
            foreach (ref var m2 in to[(to.Length / 2)..]) m2 = MathF.Sqrt(m2 / count);
    }

    /// <summary>Rounds a page of <see cref="KvGeometry.LogicalTokens"/> tokens. Infinities become NaN, since a clamped one would win every choice.</summary>
    public static void Close(PageStatistics kind, ReadOnlySpan<float> open, Span<Half> to)
    {
        Span<float> numbers = stackalloc float[open.Length];
        Finish(kind, KvGeometry.LogicalTokens, open, numbers);
        for (var i = 0; i < to.Length; i++) to[i] = float.IsInfinity(numbers[i]) ? Half.NaN : ReferenceQuantise.Round(numbers[i]);
    }
}
