namespace LServe.Eval;

/// <summary>The difference of paired trials, with a percentile bootstrap (Efron, 1979) over pairs from a fixed seed.</summary>
internal static class PairedBound
{
    private const int Resamples = 10_000;
    private const double Tail = 0.025;

    /// <returns>Mean of other − dense, and the ends of its 95 % interval, as the scores are.</returns>
    public static (double Mean, double Lower, double Upper) Of(IReadOnlyList<double> dense, IReadOnlyList<double> other)
    {
        if (dense.Count != other.Count || dense.Count == 0) throw new ArgumentException($"{dense.Count} and {other.Count} trials are no pairs.");
        double[] differences = [.. dense.Zip(other, (d, o) => o - d)];
        var random = new Random(1);
        var means = new double[Resamples];
        for (var i = 0; i < Resamples; i++)
        {
            for (var j = 0; j < differences.Length; j++) means[i] += differences[random.Next(differences.Length)];
            means[i] /= differences.Length;
        }
        Array.Sort(means);
        return (differences.Average(), means[(int)(Tail * Resamples)], means[(int)((1 - Tail) * Resamples) - 1]);
    }
}
