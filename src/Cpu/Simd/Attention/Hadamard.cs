namespace LServe.Cpu;

/// <summary>
/// Multiplication by the orthonormal Hadamard matrix (Sylvester's, symmetric), block-diagonal in blocks of the largest power of two that
/// divides D: spreads outliers over all channels before quantisation (ALGORITHM: two-stage selection and rotated keys; QuaRot, arXiv 2404.00456).
/// </summary>
internal static unsafe class Hadamard
{
    /// <summary>In float64, for codes: every implementation gets the same ones.</summary>
    public static void Rotate(double* x, int dim)
    {
        var block = dim & -dim;
        for (var step = 1; step < block; step *= 2)
            for (var i = 0; i < dim; i += 2 * step)
                for (var j = i; j < i + step; j++)
                    (x[j], x[j + step]) = (x[j] + x[j + step], x[j] - x[j + step]);
        var root = Math.Sqrt(block);
        for (var i = 0; i < dim; i++) x[i] /= root;
    }

    /// <summary>In float32, for queries and outputs.</summary>
    public static void Rotate(float* x, int dim)
    {
        var block = dim & -dim;
        for (var step = 1; step < block; step *= 2)
            for (var i = 0; i < dim; i += 2 * step)
                for (var j = i; j < i + step; j++)
                    (x[j], x[j + step]) = (x[j] + x[j + step], x[j] - x[j + step]);
        var factor = (float)(1 / Math.Sqrt(block));
        for (var i = 0; i < dim; i++) x[i] *= factor;
    }
}
