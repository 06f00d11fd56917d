using System.Runtime.CompilerServices;

namespace LServe.Cpu;

/// <summary>
/// Rows of 8-bit x against packed weights of two groups of <see cref="ILanes{F}.Width"/> outputs. A lane is an output: it adds, block
/// after block, for each plane the exact integer product times the product of the scales, then the minimum times the block's sum, one
/// rounding each. So a row's bits depend neither on the rows beside it nor on the width.
/// </summary>
internal static unsafe class CodeKernel<L, F, D, V>
    where L : ILanes<F>
    where F : struct
    where D : ICodeLanes<V, F>
    where V : struct
{
    /// <summary>Rows of a call of <see cref="Four"/>.</summary>
    public const int Rows = 4;

    private const int Steps = QuantisedRows.Block / 4;

    /// <summary>Bytes of a packed block for one group.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int BlockBytes(int planes) => (planes * (Steps + 1) + 1) * 4 * L.Width;

    /// <summary>Four rows, <paramref name="xBlocks"/> blocks apart; adds to <paramref name="sums"/>: [4 rows, 2 · width].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Four(sbyte* x0, float* scales, int xBlocks, byte* p0, byte* p1, int planes, int blocks, float* sums)
    {
        long stride = (long)xBlocks * QuantisedRows.Block, scaleStride = 2L * xBlocks;
        sbyte* x1 = x0 + stride, x2 = x1 + stride, x3 = x2 + stride;
        float* s1 = scales + scaleStride, s2 = s1 + scaleStride, s3 = s2 + scaleStride;
        var step = 4 * L.Width;
        F a00 = L.Load(sums), a01 = L.Load(sums + L.Width), a10 = L.Load(sums + 2 * L.Width), a11 = L.Load(sums + 3 * L.Width);
        F a20 = L.Load(sums + 4 * L.Width), a21 = L.Load(sums + 5 * L.Width), a30 = L.Load(sums + 6 * L.Width), a31 = L.Load(sums + 7 * L.Width);
        for (long block = 0; block < blocks; block++)
        {
            F k0 = L.Fill(scales[2 * block]), k1 = L.Fill(s1[2 * block]), k2 = L.Fill(s2[2 * block]), k3 = L.Fill(s3[2 * block]);
            for (var plane = 0; plane < planes; plane++)
            {
                V i00 = D.Fill(0), i01 = i00, i10 = i00, i11 = i00, i20 = i00, i21 = i00, i30 = i00, i31 = i00;
                for (long k = block * QuantisedRows.Block, end = k + QuantisedRows.Block; k < end; k += 4, p0 += step, p1 += step)
                {
                    V c0 = D.Load(p0), c1 = D.Load(p1), x = D.Fill(*(int*)(x0 + k));
                    i00 = D.AddProducts(i00, c0, x);
                    i01 = D.AddProducts(i01, c1, x);
                    x = D.Fill(*(int*)(x1 + k));
                    i10 = D.AddProducts(i10, c0, x);
                    i11 = D.AddProducts(i11, c1, x);
                    x = D.Fill(*(int*)(x2 + k));
                    i20 = D.AddProducts(i20, c0, x);
                    i21 = D.AddProducts(i21, c1, x);
                    x = D.Fill(*(int*)(x3 + k));
                    i30 = D.AddProducts(i30, c0, x);
                    i31 = D.AddProducts(i31, c1, x);
                }
                F d0 = L.Load((float*)p0), d1 = L.Load((float*)p1);
                a00 = L.MultiplyAdd(D.Total(i00), L.Multiply(d0, k0), a00);
                a01 = L.MultiplyAdd(D.Total(i01), L.Multiply(d1, k0), a01);
                a10 = L.MultiplyAdd(D.Total(i10), L.Multiply(d0, k1), a10);
                a11 = L.MultiplyAdd(D.Total(i11), L.Multiply(d1, k1), a11);
                a20 = L.MultiplyAdd(D.Total(i20), L.Multiply(d0, k2), a20);
                a21 = L.MultiplyAdd(D.Total(i21), L.Multiply(d1, k2), a21);
                a30 = L.MultiplyAdd(D.Total(i30), L.Multiply(d0, k3), a30);
                a31 = L.MultiplyAdd(D.Total(i31), L.Multiply(d1, k3), a31);
                p0 += step;
                p1 += step;
            }
            F m0 = L.Load((float*)p0), m1 = L.Load((float*)p1);
            k0 = L.Fill(scales[2 * block + 1]);
            k1 = L.Fill(s1[2 * block + 1]);
            k2 = L.Fill(s2[2 * block + 1]);
            k3 = L.Fill(s3[2 * block + 1]);
            a00 = L.MultiplyAdd(m0, k0, a00);
            a01 = L.MultiplyAdd(m1, k0, a01);
            a10 = L.MultiplyAdd(m0, k1, a10);
            a11 = L.MultiplyAdd(m1, k1, a11);
            a20 = L.MultiplyAdd(m0, k2, a20);
            a21 = L.MultiplyAdd(m1, k2, a21);
            a30 = L.MultiplyAdd(m0, k3, a30);
            a31 = L.MultiplyAdd(m1, k3, a31);
            p0 += step;
            p1 += step;
        }
        L.Store(sums, a00);
        L.Store(sums + L.Width, a01);
        L.Store(sums + 2 * L.Width, a10);
        L.Store(sums + 3 * L.Width, a11);
        L.Store(sums + 4 * L.Width, a20);
        L.Store(sums + 5 * L.Width, a21);
        L.Store(sums + 6 * L.Width, a30);
        L.Store(sums + 7 * L.Width, a31);
    }

    /// <summary>One row; adds to <paramref name="sums"/>: [2 · width].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void One(sbyte* x, float* scales, byte* p0, byte* p1, int planes, int blocks, float* sums)
    {
        var step = 4 * L.Width;
        F a0 = L.Load(sums), a1 = L.Load(sums + L.Width);
        for (long block = 0; block < blocks; block++)
        {
            var scale = L.Fill(scales[2 * block]);
            for (var plane = 0; plane < planes; plane++)
            {
                V i0 = D.Fill(0), i1 = i0;
                for (long k = block * QuantisedRows.Block, end = k + QuantisedRows.Block; k < end; k += 4, p0 += step, p1 += step)
                {
                    var four = D.Fill(*(int*)(x + k));
                    i0 = D.AddProducts(i0, D.Load(p0), four);
                    i1 = D.AddProducts(i1, D.Load(p1), four);
                }
                a0 = L.MultiplyAdd(D.Total(i0), L.Multiply(L.Load((float*)p0), scale), a0);
                a1 = L.MultiplyAdd(D.Total(i1), L.Multiply(L.Load((float*)p1), scale), a1);
                p0 += step;
                p1 += step;
            }
            var sum = L.Fill(scales[2 * block + 1]);
            a0 = L.MultiplyAdd(L.Load((float*)p0), sum, a0);
            a1 = L.MultiplyAdd(L.Load((float*)p1), sum, a1);
            p0 += step;
            p1 += step;
        }
        L.Store(sums, a0);
        L.Store(sums + L.Width, a1);
    }
}
