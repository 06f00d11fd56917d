using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LServe.Cpu;

/// <summary>
/// Multiplication by the orthonormal Hadamard matrix (Sylvester's, symmetric), block-diagonal in blocks of the largest power of two that
/// divides D: spreads outliers over all channels before quantisation (ALGORITHM: two-stage selection and rotated keys; QuaRot, arXiv 2404.00456).
/// Every addition is one of the textbook's, four at a time, so that every machine gets the same bits.
/// </summary>
internal static unsafe class Hadamard
{
    private const int Lanes = 4;

    /// <summary>In float64, for codes: every implementation gets the same ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rotate(double* x, int dim)
    {
        var (block, root) = (dim & -dim, Math.Sqrt(dim & -dim));
        var vectors = block >= Lanes && Vector256.IsHardwareAccelerated;
        if (vectors)
            for (var i = 0; i < dim; i += Lanes)
            {
                var v = Vector256.Load(x + i);
                v = Vector256.Shuffle(v, Vector256.Create(1L, 0, 3, 2)) + v * Vector256.Create(1.0, -1, 1, -1);
                v = Vector256.Shuffle(v, Vector256.Create(2L, 3, 0, 1)) + v * Vector256.Create(1.0, 1, -1, -1);
                v.Store(x + i);
            }
        for (var step = vectors ? Lanes : 1; step < block; step *= 2)
            for (var i = 0; i < dim; i += 2 * step)
            {
                var j = i;
                for (; vectors && j < i + step; j += Lanes)
                {
                    Vector256<double> a = Vector256.Load(x + j), b = Vector256.Load(x + j + step);
                    (a + b).Store(x + j);
                    (a - b).Store(x + j + step);
                }
                for (; j < i + step; j++) (x[j], x[j + step]) = (x[j] + x[j + step], x[j] - x[j + step]);
            }
        var k = 0;
        for (; vectors && k < dim; k += Lanes) (Vector256.Load(x + k) / root).Store(x + k);
        for (; k < dim; k++) x[k] /= root;
    }

    /// <summary>In float32, for queries and outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rotate(float* x, int dim)
    {
        var (block, factor) = (dim & -dim, (float)(1 / Math.Sqrt(dim & -dim)));
        var vectors = block >= Lanes && Vector128.IsHardwareAccelerated;
        if (vectors)
            for (var i = 0; i < dim; i += Lanes)
            {
                var v = Vector128.Load(x + i);
                v = Vector128.Shuffle(v, Vector128.Create(1, 0, 3, 2)) + v * Vector128.Create(1f, -1, 1, -1);
                v = Vector128.Shuffle(v, Vector128.Create(2, 3, 0, 1)) + v * Vector128.Create(1f, 1, -1, -1);
                v.Store(x + i);
            }
        for (var step = vectors ? Lanes : 1; step < block; step *= 2)
            for (var i = 0; i < dim; i += 2 * step)
            {
                var j = i;
                for (; vectors && j < i + step; j += Lanes)
                {
                    Vector128<float> a = Vector128.Load(x + j), b = Vector128.Load(x + j + step);
                    (a + b).Store(x + j);
                    (a - b).Store(x + j + step);
                }
                for (; j < i + step; j++) (x[j], x[j + step]) = (x[j] + x[j + step], x[j] - x[j + step]);
            }
        var k = 0;
        for (; vectors && k < dim; k += Lanes) (Vector128.Load(x + k) * factor).Store(x + k);
        for (; k < dim; k++) x[k] *= factor;
    }
}
