namespace LServe.Model;

/// <summary>Rotary frequencies of a head, in radians per token: pair i turns by base^(−2i/D) before scaling.</summary>
/// <remarks>Su et al., RoFormer, arXiv 2104.09864.</remarks>
internal static class RopeFrequencies
{
    public static double[] Plain(double theta, int headDim)
    {
        var frequencies = new double[headDim / 2];
        for (var i = 0; i < frequencies.Length; i++) frequencies[i] = Math.Pow(theta, -2.0 * i / headDim);
        return frequencies;
    }

    /// <summary>Positions are squeezed by <paramref name="factor"/>.</summary>
    public static double[] Linear(double theta, int headDim, double factor) =>
        Array.ConvertAll(Plain(theta, headDim), f => f / factor);
}
