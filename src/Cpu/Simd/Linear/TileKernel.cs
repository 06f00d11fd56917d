using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LServe.Cpu;

/// <summary>
/// Rows of x against four rows of weights, both as floats: y[r, o] = Σₖ x[r, k] · w[o, k]. Six rows by four outputs at a time keep 24
/// sums in registers, so that each step of k makes 10 loads for 24 multiplications; fewer rows and narrower machines use less.
/// The order of one sum is the same in all shapes and in <see cref="VectorKernel{L,F,TFormat}"/>: lane l adds the products of inputs
/// l, l + W, l + 2W …, one rounding each, then the lanes fold. Hence a row's bits don't depend on the rows beside it.
/// </summary>
internal static unsafe class TileKernel<L, F>
    where L : ILanes<F>
    where F : struct
{
    /// <param name="columns">A multiple of the width; both operands are padded with zeros.</param>
    public static void Run(float* x, long xStride, int rows, float* w, long wStride, int columns, Target target)
    {
        var sums = stackalloc float[6 * 4];
        for (var done = 0; done < rows;)
        {
            var count = RowsAtATime(rows - done);
            if (count == 6) Six(x, xStride, w, wStride, columns, sums);
            else if (count == 3) Three(x, xStride, w, wStride, columns, sums);
            else One(x, xStride, w, wStride, columns, sums);
            for (var i = 0; i < count; i++) target.Write(done + i, Vector128.Load(sums + 4 * i));
            done += count;
            x += count * xStride;
        }
    }

    /// <summary>24 sums and 5 operands fit the 32 registers of AVX-512, 12 and 5 nearly fit the 16 of AVX2.</summary>
    private static int RowsAtATime(int left) => left >= 6 && L.Width == 16 ? 6 : left >= 3 ? 3 : 1;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Six(float* x, long xStride, float* w0, long wStride, int columns, float* sums)
    {
        float* w1 = w0 + wStride, w2 = w1 + wStride, w3 = w2 + wStride;
        float* x1 = x + xStride, x2 = x + 2 * xStride, x3 = x + 3 * xStride, x4 = x + 4 * xStride, x5 = x + 5 * xStride;
        F a00 = L.Fill(0), a01 = a00, a02 = a00, a03 = a00;
        F a10 = a00, a11 = a00, a12 = a00, a13 = a00;
        F a20 = a00, a21 = a00, a22 = a00, a23 = a00;
        F a30 = a00, a31 = a00, a32 = a00, a33 = a00;
        F a40 = a00, a41 = a00, a42 = a00, a43 = a00;
        F a50 = a00, a51 = a00, a52 = a00, a53 = a00;
        for (long k = 0; k < columns; k += L.Width)
        {
            F b0 = L.Load(w0 + k), b1 = L.Load(w1 + k), b2 = L.Load(w2 + k), b3 = L.Load(w3 + k);
            var row = L.Load(x + k);
            a00 = L.MultiplyAdd(b0, row, a00);
            a01 = L.MultiplyAdd(b1, row, a01);
            a02 = L.MultiplyAdd(b2, row, a02);
            a03 = L.MultiplyAdd(b3, row, a03);
            row = L.Load(x1 + k);
            a10 = L.MultiplyAdd(b0, row, a10);
            a11 = L.MultiplyAdd(b1, row, a11);
            a12 = L.MultiplyAdd(b2, row, a12);
            a13 = L.MultiplyAdd(b3, row, a13);
            row = L.Load(x2 + k);
            a20 = L.MultiplyAdd(b0, row, a20);
            a21 = L.MultiplyAdd(b1, row, a21);
            a22 = L.MultiplyAdd(b2, row, a22);
            a23 = L.MultiplyAdd(b3, row, a23);
            row = L.Load(x3 + k);
            a30 = L.MultiplyAdd(b0, row, a30);
            a31 = L.MultiplyAdd(b1, row, a31);
            a32 = L.MultiplyAdd(b2, row, a32);
            a33 = L.MultiplyAdd(b3, row, a33);
            row = L.Load(x4 + k);
            a40 = L.MultiplyAdd(b0, row, a40);
            a41 = L.MultiplyAdd(b1, row, a41);
            a42 = L.MultiplyAdd(b2, row, a42);
            a43 = L.MultiplyAdd(b3, row, a43);
            row = L.Load(x5 + k);
            a50 = L.MultiplyAdd(b0, row, a50);
            a51 = L.MultiplyAdd(b1, row, a51);
            a52 = L.MultiplyAdd(b2, row, a52);
            a53 = L.MultiplyAdd(b3, row, a53);
        }
        L.Sum4(a00, a01, a02, a03).Store(sums);
        L.Sum4(a10, a11, a12, a13).Store(sums + 4);
        L.Sum4(a20, a21, a22, a23).Store(sums + 8);
        L.Sum4(a30, a31, a32, a33).Store(sums + 12);
        L.Sum4(a40, a41, a42, a43).Store(sums + 16);
        L.Sum4(a50, a51, a52, a53).Store(sums + 20);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Three(float* x, long xStride, float* w0, long wStride, int columns, float* sums)
    {
        float* w1 = w0 + wStride, w2 = w1 + wStride, w3 = w2 + wStride;
        float* x1 = x + xStride, x2 = x + 2 * xStride;
        F a00 = L.Fill(0), a01 = a00, a02 = a00, a03 = a00;
        F a10 = a00, a11 = a00, a12 = a00, a13 = a00;
        F a20 = a00, a21 = a00, a22 = a00, a23 = a00;
        for (long k = 0; k < columns; k += L.Width)
        {
            F b0 = L.Load(w0 + k), b1 = L.Load(w1 + k), b2 = L.Load(w2 + k), b3 = L.Load(w3 + k);
            var row = L.Load(x + k);
            a00 = L.MultiplyAdd(b0, row, a00);
            a01 = L.MultiplyAdd(b1, row, a01);
            a02 = L.MultiplyAdd(b2, row, a02);
            a03 = L.MultiplyAdd(b3, row, a03);
            row = L.Load(x1 + k);
            a10 = L.MultiplyAdd(b0, row, a10);
            a11 = L.MultiplyAdd(b1, row, a11);
            a12 = L.MultiplyAdd(b2, row, a12);
            a13 = L.MultiplyAdd(b3, row, a13);
            row = L.Load(x2 + k);
            a20 = L.MultiplyAdd(b0, row, a20);
            a21 = L.MultiplyAdd(b1, row, a21);
            a22 = L.MultiplyAdd(b2, row, a22);
            a23 = L.MultiplyAdd(b3, row, a23);
        }
        L.Sum4(a00, a01, a02, a03).Store(sums);
        L.Sum4(a10, a11, a12, a13).Store(sums + 4);
        L.Sum4(a20, a21, a22, a23).Store(sums + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One(float* x, long xStride, float* w0, long wStride, int columns, float* sums)
    {
        float* w1 = w0 + wStride, w2 = w1 + wStride, w3 = w2 + wStride;
        F a00 = L.Fill(0), a01 = a00, a02 = a00, a03 = a00;
        for (long k = 0; k < columns; k += L.Width)
        {
            F b0 = L.Load(w0 + k), b1 = L.Load(w1 + k), b2 = L.Load(w2 + k), b3 = L.Load(w3 + k);
            var row = L.Load(x + k);
            a00 = L.MultiplyAdd(b0, row, a00);
            a01 = L.MultiplyAdd(b1, row, a01);
            a02 = L.MultiplyAdd(b2, row, a02);
            a03 = L.MultiplyAdd(b3, row, a03);
        }
        L.Sum4(a00, a01, a02, a03).Store(sums);
    }
}
