using System.Runtime.InteropServices;

namespace LServe.Cpu;

/// <summary>Vectors of a head's page at 32, 16, 8 or 4 bits per channel.</summary>
internal static class ReferenceNumbers
{
    /// <param name="scale">Scale and low end, for 8 and 4 bits alone.</param>
    public static void Write(ReadOnlySpan<double> vector, int bits, Span<byte> to, Span<Half> scale)
    {
        if (bits >= 16)
        {
            for (var i = 0; i < vector.Length; i++)
                if (bits == 32) MemoryMarshal.Cast<byte, float>(to)[i] = (float)vector[i];
                else MemoryMarshal.Cast<byte, Half>(to)[i] = ReferenceQuantise.Round((float)vector[i]);
            return;
        }
        Span<byte> codes = stackalloc byte[vector.Length];
        (scale[0], scale[1]) = ReferenceQuantise.Codes(vector, bits, codes);
        ReferenceQuantise.Pack(codes, bits, to);
    }

    /// <param name="sketchBits">High bits of the codes to look at; all of them: the numbers themselves. Of no matter at 16 and 32 bits.</param>
    public static void Read(ReadOnlySpan<byte> from, ReadOnlySpan<Half> scale, int bits, int sketchBits, Span<double> vector)
    {
        if (bits == 32) Widen(MemoryMarshal.Cast<byte, float>(from), vector);
        else if (bits == 16) Widen(MemoryMarshal.Cast<byte, Half>(from), vector);
        else
        {
            Span<byte> codes = stackalloc byte[vector.Length];
            ReferenceQuantise.Unpack(from, bits, codes);
            if (sketchBits == bits) ReferenceQuantise.Read(codes, scale[0], scale[1], vector);
            else ReferenceQuantise.Sketch(codes, scale[0], scale[1], sketchBits, bits, vector);
        }
    }

    private static void Widen(ReadOnlySpan<float> from, Span<double> to)
    {
        for (var i = 0; i < to.Length; i++) to[i] = from[i];
    }

    private static void Widen(ReadOnlySpan<Half> from, Span<double> to)
    {
        for (var i = 0; i < to.Length; i++) to[i] = (double)from[i];
    }
}
