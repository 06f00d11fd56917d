namespace LServe.Cpu;

/// <summary>
/// The orthonormal Hadamard matrix (Sylvester's, its own inverse), block-diagonal in blocks of the largest power of two that divides D
/// (QuaRot, arXiv 2404.00456). It spreads outlier channels, so that fewer bits are enough.
/// </summary>
internal static class ReferenceRotation
{
    public static void InPlace(Span<double> x)
    {
        var block = x.Length & -x.Length;
        for (var step = 1; step < block; step *= 2)
            for (var i = 0; i < x.Length; i++)
                if ((i & step) == 0)
                    (x[i], x[i + step]) = (x[i] + x[i + step], x[i] - x[i + step]);
        var norm = Math.Sqrt(block);
        foreach (ref var value in x) value /= norm;
    }
}
