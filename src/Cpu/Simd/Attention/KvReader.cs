using System.Runtime.CompilerServices;
using LServe.Inference;

namespace LServe.Cpu;

/// <summary>Turns a head's page into floats, in the order in which <see cref="Panel{L,F,E}"/> takes them.</summary>
internal static unsafe class KvReader<L, F>
    where L : ILanes<F>
    where F : struct
{
    private const int Tokens = KvGeometry.PageTokens;
    private const int Half = Tokens / 2;

    /// <summary>[D][64]: keys of 16 bits, or the codes of quantised ones as numbers (see <see cref="Rescale"/>).</summary>
    public static void Keys(byte* page, in KvPageLayout layout, KvGeometry geometry, float* to)
    {
        var dim = geometry.HeadDim;
        if (geometry.Precision == KvPrecision.F16) Widen((ushort*)page, dim * Tokens, to);
        else if (geometry.Precision.KeyBits() == 8) JoinPlanes(page, page + layout.KeyLowPlane, dim, to);
        else HighPlane(page, dim, 15, to);
    }

    /// <summary>[D][64]: the high plane's numbers under <paramref name="mask"/> (of 4 bits).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void HighPlane(byte* plane, int dim, int mask, float* to)
    {
        for (var c = 0; c < dim; c++, plane += KvPageLayout.PlaneRow, to += Tokens)
            for (var t = 0; t < Half; t += L.Width)
            {
                L.Store(to + t, L.LoadBits(plane + t, 0, mask));
                L.Store(to + t + Half, L.LoadBits(plane + t, 4, mask));
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void JoinPlanes(byte* high, byte* low, int dim, float* to)
    {
        for (var c = 0; c < dim; c++, high += KvPageLayout.PlaneRow, low += KvPageLayout.PlaneRow, to += Tokens)
            for (var t = 0; t < Half; t += L.Width)
            {
                L.Store(to + t, L.JoinBits(high + t, low + t, upperHalf: false));
                L.Store(to + t + Half, L.JoinBits(high + t, low + t, upperHalf: true));
            }
    }

    /// <summary>[rows][D]: values as the cache gives them back, quantised ones still rotated.</summary>
    public static void Values(byte* page, in KvPageLayout layout, KvGeometry geometry, int rows, float* to)
    {
        var dim = geometry.HeadDim;
        var from = page + layout.Values;
        if (geometry.Precision == KvPrecision.F16)
        {
            Widen((ushort*)from, dim * rows, to);
            return;
        }
        var scales = (ushort*)(page + layout.ValueScales);
        for (var t = 0; t < rows; t++, from += layout.ValueRow, to += dim)
        {
            var (scale, low) = (HalfBits.ToSingle(scales[t]), HalfBits.ToSingle(scales[t + Tokens]));
            if (geometry.Precision.ValueBits() == 8) Bytes(from, dim, scale, low, to);
            else Nibbles(from, dim / 2, scale, low, to);
        }
    }

    /// <summary>Turns sums of query · code of 64 tokens into scores: scale · sum + (low + scale · offset) · total.</summary>
    /// <param name="total">Sum of the query's channels.</param>
    /// <param name="step">What a code is multiplied by.</param>
    /// <param name="offset">What is added to a code after that.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rescale(float* sums, ushort* scales, float total, float step, float offset)
    {
        for (var t = 0; t < Tokens; t += L.Width)
        {
            F scale = L.LoadHalf(scales + t), low = L.LoadHalf(scales + Tokens + t);
            var constant = L.Multiply(L.MultiplyAdd(scale, L.Fill(offset), low), L.Fill(total));
            L.Store(sums + t, L.MultiplyAdd(L.Multiply(scale, L.Fill(step)), L.Load(sums + t), constant));
        }
    }

    /// <summary>Multiplies the weights of <paramref name="rows"/> tokens by their scales. Returns the sum of weight · low.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float ScaleWeights(float* weights, ushort* scales, int rows)
    {
        var lows = L.Fill(0);
        var t = 0;
        for (; t + L.Width <= rows; t += L.Width)
        {
            var weight = L.Load(weights + t);
            lows = L.MultiplyAdd(weight, L.LoadHalf(scales + Tokens + t), lows);
            L.Store(weights + t, L.Multiply(weight, L.LoadHalf(scales + t)));
        }
        var low = L.Sum(lows);
        for (; t < rows; t++)
        {
            low = MathF.FusedMultiplyAdd(weights[t], HalfBits.ToSingle(scales[Tokens + t]), low);
            weights[t] *= HalfBits.ToSingle(scales[t]);
        }
        return low;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddToAll(float* values, int count, float term)
    {
        for (var i = 0; i < count; i += L.Width) L.Store(values + i, L.Add(L.Load(values + i), L.Fill(term)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Sum(float* values, int count)
    {
        var sum = L.Fill(0);
        for (var i = 0; i < count; i += L.Width) sum = L.Add(sum, L.Load(values + i));
        return L.Sum(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen(ushort* from, int count, float* to)
    {
        for (var i = 0; i < count; i += L.Width) L.Store(to + i, L.LoadHalf(from + i));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Bytes(byte* from, int count, float scale, float low, float* to)
    {
        F s = L.Fill(scale), o = L.Fill(low);
        for (var i = 0; i < count; i += L.Width) L.Store(to + i, L.MultiplyAdd(L.LoadBits(from + i, 0, 255), s, o));
    }

    /// <summary>Byte i has channel i and channel i + half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Nibbles(byte* from, int half, float scale, float low, float* to)
    {
        var i = 0;
        F s = L.Fill(scale), o = L.Fill(low);
        for (; i + L.Width <= half; i += L.Width)
        {
            L.Store(to + i, L.MultiplyAdd(L.LoadBits(from + i, 0, 15), s, o));
            L.Store(to + half + i, L.MultiplyAdd(L.LoadBits(from + i, 4, 15), s, o));
        }
        for (; i < half; i++)
        {
            to[i] = MathF.FusedMultiplyAdd(from[i] & 15, scale, low);
            to[half + i] = MathF.FusedMultiplyAdd(from[i] >> 4, scale, low);
        }
    }
}
