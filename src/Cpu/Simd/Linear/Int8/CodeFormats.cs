using System.Runtime.CompilerServices;

namespace LServe.Cpu;

/// <summary>Q4_1: float16 scale d, float16 minimum m, 16 bytes of nibbles; w = d · q + m.</summary>
internal readonly unsafe struct Q4_1Codes : ICodeFormat
{
    public static int Bytes { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 20; }
    public static int Planes { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 1; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Pack<L, F, D, V>(byte* block, long rowBytes, byte* to)
        where L : ILanes<F> where F : struct where D : ICodeLanes<V, F> where V : struct
    {
        var heads = D.Heads(block, rowBytes);
        var scales = Nibbles.Pack<L, F, D, V>(block + 4, rowBytes, to);
        L.Store(scales, D.LowHalf(heads));
        L.Store(scales + L.Width, D.HighHalf(heads));
    }
}

/// <summary>Q4_0: float16 scale d, 16 bytes of nibbles; w = d · q − 8 · d.</summary>
internal readonly unsafe struct Q4_0Codes : ICodeFormat
{
    public static int Bytes { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 18; }
    public static int Planes { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 1; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Pack<L, F, D, V>(byte* block, long rowBytes, byte* to)
        where L : ILanes<F> where F : struct where D : ICodeLanes<V, F> where V : struct
    {
        var scale = D.LowHalf(D.Heads(block, rowBytes));
        var scales = Nibbles.Pack<L, F, D, V>(block + 2, rowBytes, to);
        L.Store(scales, scale);
        L.Store(scales + L.Width, L.Multiply(scale, L.Fill(-8)));
    }
}

/// <summary>Q8_0: float16 scale d, 32 signed bytes; with u = q + 128: w = d · low nibble + 16 · d · high nibble − 128 · d.</summary>
internal readonly unsafe struct Q8_0Codes : ICodeFormat
{
    public static int Bytes { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 34; }
    public static int Planes { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 2; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Pack<L, F, D, V>(byte* block, long rowBytes, byte* to)
        where L : ILanes<F> where F : struct where D : ICodeLanes<V, F> where V : struct
    {
        var bytes = 4 * L.Width;
        var high = to + 8 * bytes + 4 * L.Width;
        for (var half = 0; half < 2; half++)
        {
            D.Transpose(block + 2 + 16 * half, rowBytes, out var a, out var b, out var c, out var d);
            Split<D, V, F>(D.Unsign(a), to + 4 * half * bytes, high + 4 * half * bytes);
            Split<D, V, F>(D.Unsign(b), to + (4 * half + 1) * bytes, high + (4 * half + 1) * bytes);
            Split<D, V, F>(D.Unsign(c), to + (4 * half + 2) * bytes, high + (4 * half + 2) * bytes);
            Split<D, V, F>(D.Unsign(d), to + (4 * half + 3) * bytes, high + (4 * half + 3) * bytes);
        }
        var scale = D.LowHalf(D.Heads(block, rowBytes));
        var highScales = (float*)(high + 8 * bytes);
        L.Store((float*)(to + 8 * bytes), scale);
        L.Store(highScales, L.Multiply(scale, L.Fill(16)));
        L.Store(highScales + L.Width, L.Multiply(scale, L.Fill(-128)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Split<D, V, F>(V bytes, byte* low, byte* high)
        where F : struct where D : ICodeLanes<V, F> where V : struct
    {
        D.Store(low, D.LowNibbles(bytes));
        D.Store(high, D.HighNibbles(bytes));
    }
}

/// <summary>What the 4-bit formats have in common.</summary>
internal static unsafe class Nibbles
{
    /// <summary>Packs 16 bytes a row: code i in the low half of byte i, code 16 + i in its high half. Returns where the scales go.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float* Pack<L, F, D, V>(byte* bytes, long rowBytes, byte* to)
        where L : ILanes<F> where F : struct where D : ICodeLanes<V, F> where V : struct
    {
        var step = 4 * L.Width;
        D.Transpose(bytes, rowBytes, out var a, out var b, out var c, out var d);
        D.Store(to, D.LowNibbles(a));
        D.Store(to + step, D.LowNibbles(b));
        D.Store(to + 2 * step, D.LowNibbles(c));
        D.Store(to + 3 * step, D.LowNibbles(d));
        D.Store(to + 4 * step, D.HighNibbles(a));
        D.Store(to + 5 * step, D.HighNibbles(b));
        D.Store(to + 6 * step, D.HighNibbles(c));
        D.Store(to + 7 * step, D.HighNibbles(d));
        return (float*)(to + 8 * step);
    }
}
