using LServe.Cuda.Launch;

namespace LServe.Tests.Kernels.Attention;

/// <summary>
/// LServe's decode attention in double precision, written for clarity from the definition that tests/Kernels/Reference/README.md names:
/// what the cache holds, which pages are read, attention over them. One KV head at a time; keys and values [T][D], queries [group][D].
/// </summary>
internal static class LServeReference
{
    private const float F16Max = 65504;

    /// <summary>Codes, scale and low of a vector: every operation in float32, to nearest even, divisions as divisions.</summary>
    public static (int[] Codes, float Scale, float Low) Quantise(ReadOnlySpan<double> vector, int bits)
    {
        var x = new float[vector.Length];
        for (var i = 0; i < x.Length; i++) x[i] = (float)vector[i];
        float top = (1 << bits) - 1, least = x.Min(), most = x.Max();
        var low = (float)(Half)Math.Clamp(least, -F16Max, F16Max);
        var scale = (float)(Half)Math.Clamp((most - low) / top, 0, F16Max);
        return (Array.ConvertAll(x, v => scale > 0 ? (int)Math.Clamp(MathF.Round((v - low) / scale, MidpointRounding.ToEven), 0, top) : 0), scale, low);
    }

    /// <summary>Multiplies by the orthonormal Hadamard matrix, block-diagonal in blocks of the largest power of two that divides D.</summary>
    public static double[] Rotate(ReadOnlySpan<double> x)
    {
        var y = x.ToArray();
        var block = y.Length & -y.Length;
        for (var step = 1; step < block; step *= 2)
            for (var i = 0; i < y.Length; i++)
                if ((i & step) == 0) (y[i], y[i + step]) = (y[i] + y[i + step], y[i] - y[i + step]);
        for (var i = 0; i < y.Length; i++) y[i] /= Math.Sqrt(block);
        return y;
    }

    /// <summary>What a key or value reads back as. Keys of few bits are centred and rotated, and come back in the rotated basis less the centre.</summary>
    public static double[] Read(ReadOnlySpan<float> vector, ReadOnlySpan<float> centre, int bits)
    {
        var x = new double[vector.Length];
        for (var i = 0; i < x.Length; i++) x[i] = bits == 16 ? (double)(Half)Math.Clamp(vector[i], -F16Max, F16Max) : vector[i] - (centre.IsEmpty ? 0.0 : centre[i]);
        if (bits == 16) return x;
        var (codes, scale, low) = Quantise(Rotate(x), bits);
        return Rotate(Array.ConvertAll(codes, c => (double)c * scale + low));
    }

    /// <summary>The key as the high <paramref name="bits"/> of its own codes show it; a code reads as the middle of those it shares them with.</summary>
    public static double[] Sketch(ReadOnlySpan<float> key, ReadOnlySpan<float> centre, int bits, int codeBits)
    {
        if (codeBits == 16) return Read(key, centre, 16);
        var x = new double[key.Length];
        for (var i = 0; i < x.Length; i++) x[i] = (double)key[i] - centre[i];
        var (codes, scale, low) = Quantise(Rotate(x), codeBits);
        var step = 1 << (codeBits - bits);
        return Rotate(Array.ConvertAll(codes, c => (c / step * step + (step - 1) / 2.0) * scale + low));
    }

    /// <summary>One score per page: the best logical page and query for quest and moments, the mean share of a softmax for two-stage.</summary>
    public static double[] PageScores(double[][] queries, float[][] keys, PagePolicy policy, double deviation)
    {
        var pages = (keys.Length + 63) / 64;
        var scores = queries.Select(q => Enumerable.Range(0, pages).Select(p => Best(q, keys, p, policy, deviation)).ToArray()).ToArray();
        if (policy != PagePolicy.TwoStage) return [.. Enumerable.Range(0, pages).Select(p => scores.Max(s => s[p]))];
        var shares = scores.Select(s => Softmax(s.Select(v => v / Math.Sqrt(queries[0].Length)).ToArray())).ToArray();
        return [.. Enumerable.Range(0, pages).Select(p => shares.Average(s => s[p]))];
    }

    /// <summary>Ascending pages: <paramref name="keep"/> in all, the first and last ones forced, ties to the lower.</summary>
    public static int[] Choose(double[] scores, int keep, int sinkPages, int recentPages)
    {
        if (scores.Length <= keep) return [.. Enumerable.Range(0, scores.Length)];
        var forced = Forced(scores.Length, sinkPages, recentPages);
        var rest = Enumerable.Range(0, scores.Length).Where(p => !forced.Contains(p) && scores[p] > double.NegativeInfinity).OrderByDescending(p => scores[p]).ThenBy(p => p);
        return [.. forced.Concat(rest.Take(keep - forced.Count)).Order()];
    }

    /// <summary>Second stage: the attention each eligible page would get by the sketched keys.</summary>
    /// <returns>The pages to read, and every eligible page's share (−∞ elsewhere).</returns>
    public static (int[] Pages, double[] Shares) Refine(
        double[][] queries, float[][] keys, float[] centre, int[] candidates, int keep, int sinkPages, int recentPages, int bits, int codeBits)
    {
        var count = (keys.Length + 63) / 64;
        int[] pool = [.. candidates.Union(Forced(count, sinkPages, recentPages)).Order()];
        int[] tokens = [.. Enumerable.Range(0, keys.Length).Where(t => pool.Contains(t / 64))];
        var sketches = tokens.Select(t => Sketch(keys[t], centre, bits, codeBits)).ToArray();
        var shares = new double[count];
        Array.Fill(shares, double.NegativeInfinity);
        foreach (var p in pool) shares[p] = 0;
        foreach (var q in queries)
        {
            var share = Softmax(sketches.Select(k => Dot(q, k) / Math.Sqrt(q.Length)).ToArray());
            for (var i = 0; i < tokens.Length; i++) shares[tokens[i] / 64] += share[i] / queries.Length;
        }
        return (pool.Length <= keep ? pool : Choose(shares, keep, sinkPages, recentPages), shares);
    }

    /// <summary>Attention of one query over the tokens <paramref name="seen"/>.</summary>
    public static double[] Attend(double[] query, double[][] keys, double[][] values, IEnumerable<int> seen)
    {
        int[] tokens = [.. seen];
        var weights = Softmax(tokens.Select(t => Dot(query, keys[t]) / Math.Sqrt(query.Length)).ToArray());
        var output = new double[query.Length];
        for (var i = 0; i < tokens.Length; i++)
            for (var c = 0; c < output.Length; c++) output[c] += weights[i] * values[tokens[i]][c];
        return output;
    }

    private static HashSet<int> Forced(int count, int sinkPages, int recentPages) =>
        [.. Enumerable.Range(0, count).Where(p => p < sinkPages || p >= count - recentPages)];

    private static double Best(double[] q, float[][] keys, int page, PagePolicy policy, double deviation)
    {
        var best = double.NegativeInfinity;
        for (var at = page * 64; at < Math.Min(page * 64 + 64, keys.Length); at += 16)
        {
            var block = keys[at..Math.Min(at + 16, keys.Length)];
            double score = 0, spread = 0;
            for (var c = 0; c < q.Length; c++)
            {
                var column = block.Select(k => (double)k[c]).ToArray();
                var mean = column.Average();
                if (policy == PagePolicy.Quest) score += Math.Max(q[c] * column.Max(), q[c] * column.Min());
                else score += q[c] * mean;
                spread += q[c] * q[c] * column.Average(v => (v - mean) * (v - mean));
            }
            best = Math.Max(best, policy == PagePolicy.Quest ? score : score + deviation * Math.Sqrt(spread));
        }
        return best;
    }

    private static double[] Softmax(double[] scores)
    {
        var most = scores.Max();
        var weights = Array.ConvertAll(scores, s => Math.Exp(s - most));
        var sum = weights.Sum();
        return Array.ConvertAll(weights, w => w / sum);
    }

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
}
