namespace LServe.Cpu;

/// <summary>softmax(x)[i] = exp(x[i]) / Σ exp(x[j]).</summary>
internal static class ReferenceSoftmax
{
    public static void InPlace(Span<double> scores)
    {
        var max = double.NegativeInfinity;
        foreach (var score in scores) max = Math.Max(max, score);
        var sum = 0.0;
        foreach (ref var score in scores) sum += score = Math.Exp(score - max);
        foreach (ref var score in scores) score /= sum;
    }

    /// <summary>softmax(scale · scores). Scores that are infinite or not a number have no share; if all are, nobody has.</summary>
    public static double[] Shares(ReadOnlySpan<double> scores, double scale)
    {
        var shares = new double[scores.Length];
        var any = false;
        for (var i = 0; i < shares.Length; i++)
        {
            var finite = double.IsFinite(scores[i]);
            shares[i] = finite ? scores[i] * scale : double.NegativeInfinity;
            any |= finite;
        }
        if (any) InPlace(shares);
        else Array.Clear(shares);
        return shares;
    }
}
