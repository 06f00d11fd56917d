using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LServe.Cpu;

/// <summary>
/// One to four rows of x against weights in their stored form: the kernels of a decode step with few sequences.
/// Sums in the order of <see cref="TileKernel{L,F}"/>, so both give the same bits: lane l of an output adds the products of inputs
/// l, l + W, l + 2W …, one rounding each, then <see cref="ILanes{F}.Sum"/> folds the lanes.
/// </summary>
internal static unsafe class VectorKernel<L, F, TFormat>
    where L : ILanes<F>
    where F : struct
    where TFormat : IWeightFormat
{
    /// <summary>Four outputs, whose rows lie <paramref name="rowBytes"/> apart, side by side to hide the latency of the additions.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Four(float* x, byte* w0, long rowBytes, int blocks, float* halves, float* sums)
    {
        byte* w1 = w0 + rowBytes, w2 = w1 + rowBytes, w3 = w2 + rowBytes;
        var ahead = w0 + Prefetch.Ahead;
        F a0 = L.Fill(0), a1 = a0, a2 = a0, a3 = a0;
        for (var block = 0; block < blocks; block++)
        {
            Prefetch.Lines(ahead, 4 * TFormat.Bytes);
            TFormat.Open<L, F>(w0, halves, out var p0, out var q0);
            TFormat.Open<L, F>(w1, halves, out var p1, out var q1);
            TFormat.Open<L, F>(w2, halves, out var p2, out var q2);
            TFormat.Open<L, F>(w3, halves, out var p3, out var q3);
            if (L.Width == 16)
            {
                F low = L.Load(x), high = L.Load(x + 16);
                a0 = L.MultiplyAdd(TFormat.Load<L, F>(w0, 0, p0, q0), low, a0);
                a1 = L.MultiplyAdd(TFormat.Load<L, F>(w1, 0, p1, q1), low, a1);
                a2 = L.MultiplyAdd(TFormat.Load<L, F>(w2, 0, p2, q2), low, a2);
                a3 = L.MultiplyAdd(TFormat.Load<L, F>(w3, 0, p3, q3), low, a3);
                a0 = L.MultiplyAdd(TFormat.Load<L, F>(w0, 16, p0, q0), high, a0);
                a1 = L.MultiplyAdd(TFormat.Load<L, F>(w1, 16, p1, q1), high, a1);
                a2 = L.MultiplyAdd(TFormat.Load<L, F>(w2, 16, p2, q2), high, a2);
                a3 = L.MultiplyAdd(TFormat.Load<L, F>(w3, 16, p3, q3), high, a3);
            }
            else
            {
                for (var at = 0; at < IWeightFormat.Values; at += L.Width)
                {
                    var values = L.Load(x + at);
                    a0 = L.MultiplyAdd(TFormat.Load<L, F>(w0, at, p0, q0), values, a0);
                    a1 = L.MultiplyAdd(TFormat.Load<L, F>(w1, at, p1, q1), values, a1);
                    a2 = L.MultiplyAdd(TFormat.Load<L, F>(w2, at, p2, q2), values, a2);
                    a3 = L.MultiplyAdd(TFormat.Load<L, F>(w3, at, p3, q3), values, a3);
                }
            }
            x += IWeightFormat.Values;
            ahead += 4 * TFormat.Bytes;
            w0 += TFormat.Bytes;
            w1 += TFormat.Bytes;
            w2 += TFormat.Bytes;
            w3 += TFormat.Bytes;
        }
        L.Sum4(a0, a1, a2, a3).Store(sums);
    }

    /// <summary>
    /// Two outputs for four rows: weights become floats in registers once for all rows. <paramref name="sums"/>: [2 outputs, 4 rows].
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void TwoByFour(float* x0, float* x1, float* x2, float* x3, byte* w0, long rowBytes, int blocks, float* halves, float* sums)
    {
        byte* w1 = w0 + rowBytes, ahead = w0 + Prefetch.Ahead;
        F a0 = L.Fill(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
        for (long first = 0; first < (long)blocks * IWeightFormat.Values; first += IWeightFormat.Values)
        {
            Prefetch.Lines(ahead, 2 * TFormat.Bytes);
            TFormat.Open<L, F>(w0, halves, out var p0, out var q0);
            TFormat.Open<L, F>(w1, halves, out var p1, out var q1);
            for (var at = 0; at < IWeightFormat.Values; at += L.Width)
            {
                F a = TFormat.Load<L, F>(w0, at, p0, q0), b = TFormat.Load<L, F>(w1, at, p1, q1);
                var values = L.Load(x0 + first + at);
                a0 = L.MultiplyAdd(a, values, a0);
                b0 = L.MultiplyAdd(b, values, b0);
                values = L.Load(x1 + first + at);
                a1 = L.MultiplyAdd(a, values, a1);
                b1 = L.MultiplyAdd(b, values, b1);
                values = L.Load(x2 + first + at);
                a2 = L.MultiplyAdd(a, values, a2);
                b2 = L.MultiplyAdd(b, values, b2);
                values = L.Load(x3 + first + at);
                a3 = L.MultiplyAdd(a, values, a3);
                b3 = L.MultiplyAdd(b, values, b3);
            }
            ahead += 2 * TFormat.Bytes;
            w0 += TFormat.Bytes;
            w1 += TFormat.Bytes;
        }
        L.Sum4(a0, a1, a2, a3).Store(sums);
        L.Sum4(b0, b1, b2, b3).Store(sums + 4);
    }

    /// <summary>Writes a row of weights as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantise(byte* w, int blocks, float* halves, float* to)
    {
        for (var block = 0; block < blocks; block++)
        {
            TFormat.Open<L, F>(w, halves, out var p, out var q);
            if (L.Width == 16)
            {
                L.Store(to, TFormat.Load<L, F>(w, 0, p, q));
                L.Store(to + 16, TFormat.Load<L, F>(w, 16, p, q));
            }
            else
            {
                for (var at = 0; at < IWeightFormat.Values; at += L.Width) L.Store(to + at, TFormat.Load<L, F>(w, at, p, q));
            }
            to += IWeightFormat.Values;
            w += TFormat.Bytes;
        }
    }
}
