namespace LServe.Inference;

/// <summary>
/// Random numbers as a function of seed and counter (SplitMix64's finaliser, Steele et al. 2014): no state to save, and no draw
/// depends on what else is in the batch.
/// </summary>
public static class CounterRandom
{
    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public static double Uniform(ulong seed, ulong counter) =>
        (Mix(Mix(seed) + (counter + 1) * 0x9E3779B97F4A7C15UL) >> 11) * (1.0 / (1UL << 53));

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
