namespace LServe.Model;

/// <summary>
/// YaRN: channels that turn often within the original context keep their frequency, those that turn less than once are squeezed by
/// <see cref="Factor"/>, with a ramp between; cosines and sines are made larger to sharpen attention.
/// </summary>
/// <remarks>Peng et al., YaRN, arXiv 2309.00071.</remarks>
/// <param name="OriginalContext">Tokens the model was first trained for.</param>
/// <param name="BetaFast">Turns within the original context from which on a channel is kept.</param>
/// <param name="BetaSlow">Turns up to which a channel is squeezed.</param>
/// <param name="Truncate">Whether the ends of the ramp are rounded outwards to whole channels.</param>
internal sealed record Yarn(double Factor, double OriginalContext, double BetaFast = 32, double BetaSlow = 1, bool Truncate = true)
{
    /// <summary>The usual magnitude, 1 + ln(factor) / 10.</summary>
    public double DefaultMagnitude => MagnitudeOf(1);

    public double MagnitudeOf(double scale) => Factor > 1 ? 0.1 * scale * Math.Log(Factor) + 1 : 1;

    public double[] Frequencies(double theta, int headDim)
    {
        var frequencies = RopeFrequencies.Plain(theta, headDim);
        var (low, high) = Ramp(theta, headDim);
        for (var i = 0; i < frequencies.Length; i++)
        {
            var squeezed = Math.Clamp((i - low) / (high - low), 0, 1);
            frequencies[i] = (1 - squeezed) * frequencies[i] + squeezed * frequencies[i] / Factor;
        }
        return frequencies;
    }

    private (double Low, double High) Ramp(double theta, int headDim)
    {
        const double leastWidth = 0.001;
        double ChannelOfTurns(double turns) => headDim * Math.Log(OriginalContext / (turns * 2 * Math.PI)) / (2 * Math.Log(theta));
        var (low, high) = (ChannelOfTurns(BetaFast), ChannelOfTurns(BetaSlow));
        if (Truncate) (low, high) = (Math.Floor(low), Math.Ceiling(high));
        (low, high) = (Math.Max(low, 0), Math.Min(high, headDim - 1));
        return (low, high == low ? high + leastWidth : high);
    }
}
