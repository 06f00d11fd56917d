namespace LServe.Tests.Kernels.Cpu;

/// <summary>How far logits are from those of a reference.</summary>
internal static class LogitMath
{
    public static int Best(float[] logits) => Array.IndexOf(logits, logits.Max());

    public static double NegativeLogLikelihood(float[] logits, int token) => LogSum(logits) - logits[token];

    /// <summary>Σ p · (log p − log q) with p from <paramref name="reference"/>.</summary>
    public static double Divergence(float[] reference, float[] logits)
    {
        var (ours, theirs) = (LogSum(logits), LogSum(reference));
        return reference.Zip(logits, (r, l) => Math.Exp(r - theirs) * (r - theirs - (l - ours))).Sum();
    }

    public static double LargestDifference(float[] a, float[] b) => a.Zip(b, (x, y) => Math.Abs((double)x - y)).Max();

    /// <summary>Norm of the difference ÷ norm of the reference.</summary>
    public static double RelativeError(ReadOnlySpan<float> reference, ReadOnlySpan<float> values)
    {
        double difference = 0, norm = 0;
        for (var i = 0; i < reference.Length; i++)
        {
            difference += Math.Pow((double)values[i] - reference[i], 2);
            norm += Math.Pow(reference[i], 2);
        }
        return Math.Sqrt(difference / norm);
    }

    private static double LogSum(float[] logits)
    {
        double max = logits.Max();
        return max + Math.Log(logits.Sum(l => Math.Exp(l - max)));
    }
}
