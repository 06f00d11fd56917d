namespace LServe.Model;

/// <summary>Rotary frequencies of a head, in radians per token, [D / 2]: pair i turns by θ^(−2i/D) before scaling.</summary>
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
    /// <remarks>Chen et al., arXiv 2306.15595.</remarks>
    public static double[] Linear(double theta, int headDim, double factor) => Array.ConvertAll(Plain(theta, headDim), f => f / factor);

    /// <summary>
    /// Llama 3.1: waves that fit less than <paramref name="lowFactor"/> times into the original context are squeezed, those that fit more
    /// than <paramref name="highFactor"/> times are kept, between them it goes over smoothly.
    /// </summary>
    /// <remarks>The Llama 3 Herd of Models, arXiv 2407.21783, and its reference code.</remarks>
    public static double[] Llama3(double theta, int headDim, double factor, double lowFactor, double highFactor, double originalContext) =>
        Array.ConvertAll(Plain(theta, headDim), frequency =>
        {
            var waves = originalContext * frequency / (2 * Math.PI);
            var width = highFactor - lowFactor;
            var kept = width > 0 ? Math.Clamp((waves - lowFactor) / width, 0, 1) : waves < lowFactor ? 0 : 1;
            return kept * frequency + (1 - kept) * frequency / factor;
        });

    /// <summary>False if absurd parameters led out of the range of numbers.</summary>
    public static bool AreUsable(double[] frequencies) => Array.TrueForAll(frequencies, double.IsFinite);

    /// <summary>Every frequency divided by a factor of its own, as GGUF files hold Llama 3.1's scaling.</summary>
    public static double[] Divided(double[] frequencies, ReadOnlySpan<float> divisors)
    {
        var divided = new double[frequencies.Length];
        for (var i = 0; i < divided.Length; i++) divided[i] = frequencies[i] / divisors[i];
        return divided;
    }
}
