using System.Runtime.CompilerServices;

namespace LServe.Cpu;

/// <summary>
/// C[r, n] = C[r, n] · factor[r] + Σₖ A[r, k] · B[k, n] for a few rows and vectors of n: both products of attention. Scores: A queries,
/// B the keys of a page, k channels, n tokens. Mixing: A weights, B the values of a page, k tokens, n channels.
/// Every C adds its terms in the order of k, one rounding each, in all shapes: a row's bits don't depend on the rows beside it.
/// </summary>
/// <typeparam name="E">How B's numbers are stored; they become float32 in registers, once for all rows of a call.</typeparam>
internal static unsafe class Panel<L, F, E>
    where L : ILanes<F>
    where F : struct
    where E : IKvElement
{
    /// <param name="rows">Rows of A and C.</param>
    /// <param name="b">Rows of B are <paramref name="bStride"/> elements apart.</param>
    /// <param name="terms">How many k.</param>
    /// <param name="columns">How many n, a multiple of the width.</param>
    /// <param name="factors">One per row; null: C starts at zero, whatever it holds.</param>
    /// <param name="ahead">What will be read next.</param>
    public static void Multiply(
        E element, float* a, long aStride, int rows, byte* b, long bStride, int terms, float* c, long cStride, int columns, float* factors,
        Ahead ahead)
    {
        while (rows > 0)
        {
            var count = RowsAtATime(rows);
            var column = 0;
            for (; column + 4 * L.Width <= columns; column += 4 * L.Width)
            {
                if (count == 6) Six(element, a, aStride, b, bStride, terms, column, c, cStride, factors, ahead);
                else if (count == 3) Three(element, a, aStride, b, bStride, terms, column, c, cStride, factors, ahead);
                else One(element, a, aStride, b, bStride, terms, column, c, cStride, factors, ahead);
            }
            for (; column < columns; column += L.Width)
                for (var row = 0; row < count; row++)
                    Narrow(element, a + row * aStride, b, bStride, terms, column, c + row * cStride, factors == null ? null : factors + row);
            rows -= count;
            a += count * aStride;
            c += count * cStride;
            if (factors != null) factors += count;
            ahead = default;
        }
    }

    /// <summary>24 sums and 5 operands fit the 32 registers of AVX-512, 12 and 5 nearly fit the 16 of AVX2.</summary>
    private static int RowsAtATime(int left) => left >= 6 && L.Width == 16 ? 6 : left >= 3 ? 3 : 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static F Begin(float* c, long column, float* factors, int row) =>
        factors == null ? L.Fill(0) : L.Multiply(L.Load(c + column), L.Fill(factors[row]));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* to, F s0, F s1, F s2, F s3)
    {
        L.Store(to, s0);
        L.Store(to + L.Width, s1);
        L.Store(to + 2 * L.Width, s2);
        L.Store(to + 3 * L.Width, s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Narrow(E element, float* a, byte* b, long bStride, int terms, long column, float* c, float* factors)
    {
        var sum = Begin(c, column, factors, 0);
        long at = 0;
        for (long k = 0; k < terms; k++, at += bStride) sum = L.MultiplyAdd(L.Fill(a[k]), element.Load<L, F>(b, at, column), sum);
        L.Store(c + column, sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Six(E element, float* a, long aStride, byte* b, long bStride, int terms, long column, float* c, long cStride, float* factors, Ahead ahead)
    {
        float* a1 = a + aStride, a2 = a + 2 * aStride, a3 = a + 3 * aStride, a4 = a + 4 * aStride, a5 = a + 5 * aStride;
        float* c1 = c + cStride, c2 = c + 2 * cStride, c3 = c + 3 * cStride, c4 = c + 4 * cStride, c5 = c + 5 * cStride;
        F s00 = Begin(c, column, factors, 0), s01 = Begin(c, column + 1 * L.Width, factors, 0), s02 = Begin(c, column + 2 * L.Width, factors, 0), s03 = Begin(c, column + 3 * L.Width, factors, 0);
        F s10 = Begin(c1, column, factors, 1), s11 = Begin(c1, column + 1 * L.Width, factors, 1), s12 = Begin(c1, column + 2 * L.Width, factors, 1), s13 = Begin(c1, column + 3 * L.Width, factors, 1);
        F s20 = Begin(c2, column, factors, 2), s21 = Begin(c2, column + 1 * L.Width, factors, 2), s22 = Begin(c2, column + 2 * L.Width, factors, 2), s23 = Begin(c2, column + 3 * L.Width, factors, 2);
        F s30 = Begin(c3, column, factors, 3), s31 = Begin(c3, column + 1 * L.Width, factors, 3), s32 = Begin(c3, column + 2 * L.Width, factors, 3), s33 = Begin(c3, column + 3 * L.Width, factors, 3);
        F s40 = Begin(c4, column, factors, 4), s41 = Begin(c4, column + 1 * L.Width, factors, 4), s42 = Begin(c4, column + 2 * L.Width, factors, 4), s43 = Begin(c4, column + 3 * L.Width, factors, 4);
        F s50 = Begin(c5, column, factors, 5), s51 = Begin(c5, column + 1 * L.Width, factors, 5), s52 = Begin(c5, column + 2 * L.Width, factors, 5), s53 = Begin(c5, column + 3 * L.Width, factors, 5);
        long at = 0;
        for (long k = 0; k < terms; k++)
        {
            element.LoadFour<L, F>(b, at, column, out var b0, out var b1, out var b2, out var b3);
            var factor = L.Fill(a[k]);
            s00 = L.MultiplyAdd(factor, b0, s00);
            s01 = L.MultiplyAdd(factor, b1, s01);
            s02 = L.MultiplyAdd(factor, b2, s02);
            s03 = L.MultiplyAdd(factor, b3, s03);
            factor = L.Fill(a1[k]);
            s10 = L.MultiplyAdd(factor, b0, s10);
            s11 = L.MultiplyAdd(factor, b1, s11);
            s12 = L.MultiplyAdd(factor, b2, s12);
            s13 = L.MultiplyAdd(factor, b3, s13);
            factor = L.Fill(a2[k]);
            s20 = L.MultiplyAdd(factor, b0, s20);
            s21 = L.MultiplyAdd(factor, b1, s21);
            s22 = L.MultiplyAdd(factor, b2, s22);
            s23 = L.MultiplyAdd(factor, b3, s23);
            factor = L.Fill(a3[k]);
            s30 = L.MultiplyAdd(factor, b0, s30);
            s31 = L.MultiplyAdd(factor, b1, s31);
            s32 = L.MultiplyAdd(factor, b2, s32);
            s33 = L.MultiplyAdd(factor, b3, s33);
            factor = L.Fill(a4[k]);
            s40 = L.MultiplyAdd(factor, b0, s40);
            s41 = L.MultiplyAdd(factor, b1, s41);
            s42 = L.MultiplyAdd(factor, b2, s42);
            s43 = L.MultiplyAdd(factor, b3, s43);
            factor = L.Fill(a5[k]);
            s50 = L.MultiplyAdd(factor, b0, s50);
            s51 = L.MultiplyAdd(factor, b1, s51);
            s52 = L.MultiplyAdd(factor, b2, s52);
            s53 = L.MultiplyAdd(factor, b3, s53);
            at += bStride;
            ahead.Next();
        }
        Store(c + column, s00, s01, s02, s03);
        Store(c1 + column, s10, s11, s12, s13);
        Store(c2 + column, s20, s21, s22, s23);
        Store(c3 + column, s30, s31, s32, s33);
        Store(c4 + column, s40, s41, s42, s43);
        Store(c5 + column, s50, s51, s52, s53);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Three(E element, float* a, long aStride, byte* b, long bStride, int terms, long column, float* c, long cStride, float* factors, Ahead ahead)
    {
        float* a1 = a + aStride, a2 = a + 2 * aStride;
        float* c1 = c + cStride, c2 = c + 2 * cStride;
        F s00 = Begin(c, column, factors, 0), s01 = Begin(c, column + 1 * L.Width, factors, 0), s02 = Begin(c, column + 2 * L.Width, factors, 0), s03 = Begin(c, column + 3 * L.Width, factors, 0);
        F s10 = Begin(c1, column, factors, 1), s11 = Begin(c1, column + 1 * L.Width, factors, 1), s12 = Begin(c1, column + 2 * L.Width, factors, 1), s13 = Begin(c1, column + 3 * L.Width, factors, 1);
        F s20 = Begin(c2, column, factors, 2), s21 = Begin(c2, column + 1 * L.Width, factors, 2), s22 = Begin(c2, column + 2 * L.Width, factors, 2), s23 = Begin(c2, column + 3 * L.Width, factors, 2);
        long at = 0;
        for (long k = 0; k < terms; k++)
        {
            element.LoadFour<L, F>(b, at, column, out var b0, out var b1, out var b2, out var b3);
            var factor = L.Fill(a[k]);
            s00 = L.MultiplyAdd(factor, b0, s00);
            s01 = L.MultiplyAdd(factor, b1, s01);
            s02 = L.MultiplyAdd(factor, b2, s02);
            s03 = L.MultiplyAdd(factor, b3, s03);
            factor = L.Fill(a1[k]);
            s10 = L.MultiplyAdd(factor, b0, s10);
            s11 = L.MultiplyAdd(factor, b1, s11);
            s12 = L.MultiplyAdd(factor, b2, s12);
            s13 = L.MultiplyAdd(factor, b3, s13);
            factor = L.Fill(a2[k]);
            s20 = L.MultiplyAdd(factor, b0, s20);
            s21 = L.MultiplyAdd(factor, b1, s21);
            s22 = L.MultiplyAdd(factor, b2, s22);
            s23 = L.MultiplyAdd(factor, b3, s23);
            at += bStride;
            ahead.Next();
        }
        Store(c + column, s00, s01, s02, s03);
        Store(c1 + column, s10, s11, s12, s13);
        Store(c2 + column, s20, s21, s22, s23);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One(E element, float* a, long aStride, byte* b, long bStride, int terms, long column, float* c, long cStride, float* factors, Ahead ahead)
    {
        F s00 = Begin(c, column, factors, 0), s01 = Begin(c, column + 1 * L.Width, factors, 0), s02 = Begin(c, column + 2 * L.Width, factors, 0), s03 = Begin(c, column + 3 * L.Width, factors, 0);
        long at = 0;
        for (long k = 0; k < terms; k++)
        {
            element.LoadFour<L, F>(b, at, column, out var b0, out var b1, out var b2, out var b3);
            var factor = L.Fill(a[k]);
            s00 = L.MultiplyAdd(factor, b0, s00);
            s01 = L.MultiplyAdd(factor, b1, s01);
            s02 = L.MultiplyAdd(factor, b2, s02);
            s03 = L.MultiplyAdd(factor, b3, s03);
            at += bStride;
            ahead.Next();
        }
        Store(c + column, s00, s01, s02, s03);
    }
}
