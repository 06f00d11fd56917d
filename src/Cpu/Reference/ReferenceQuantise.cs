namespace LServe.Cpu;

/// <summary>
/// Vectors as codes of 8 or 4 bits with a float16 scale and low end. Every operation is in float32, to nearest even, with true
/// divisions, so that all implementations get the same codes.
/// </summary>
internal static class ReferenceQuantise
{
    private const float Largest = 65504;

    /// <summary>Rounds to nearest even, clamped to ±65504.</summary>
    public static Half Round(float value) => (Half)Math.Clamp(value, -Largest, Largest);

    /// <summary>Codes of a vector, one per channel. A constant vector has scale 0 and reads back as its low end.</summary>
    public static (Half Scale, Half Low) Codes(ReadOnlySpan<double> vector, int bits, Span<byte> codes)
    {
        float top = (1 << bits) - 1, least = float.PositiveInfinity, most = float.NegativeInfinity;
        foreach (var value in vector) (least, most) = (MathF.Min(least, (float)value), MathF.Max(most, (float)value));
        var low = Round(least);
        var scale = Round(Math.Max(0, (most - (float)low) / top));
        for (var i = 0; i < vector.Length; i++)
            codes[i] = (float)scale > 0 ? (byte)Math.Clamp(MathF.Round(((float)vector[i] - (float)low) / (float)scale, MidpointRounding.ToEven), 0, top) : (byte)0;
        return (scale, low);
    }

    /// <summary>What codes read back as.</summary>
    public static void Read(ReadOnlySpan<byte> codes, Half scale, Half low, Span<double> to)
    {
        for (var i = 0; i < to.Length; i++) to[i] = (double)codes[i] * (double)scale + (double)low;
    }

    /// <summary>What the high <paramref name="bits"/> of codes of <paramref name="codeBits"/> show: the middle of the codes that share them.</summary>
    public static void Sketch(ReadOnlySpan<byte> codes, Half scale, Half low, int bits, int codeBits, Span<double> to)
    {
        var step = 1 << (codeBits - bits);
        for (var i = 0; i < to.Length; i++) to[i] = (codes[i] / step * step + (step - 1) / 2.0) * (double)scale + (double)low;
    }

    /// <summary>Two codes of 4 bits to a byte, the even channel in its low half; codes of 8 bits as they are.</summary>
    public static void Pack(ReadOnlySpan<byte> codes, int bits, Span<byte> to)
    {
        if (bits == 8) codes.CopyTo(to);
        else
            for (var i = 0; i < to.Length; i++) to[i] = (byte)(codes[2 * i] | codes[2 * i + 1] << 4);
    }

    /// <summary>Undoes <see cref="Pack"/>.</summary>
    public static void Unpack(ReadOnlySpan<byte> from, int bits, Span<byte> codes)
    {
        for (var i = 0; i < codes.Length; i++) codes[i] = bits == 8 ? from[i] : (byte)(from[i / 2] >> i % 2 * 4 & 15);
    }
}
