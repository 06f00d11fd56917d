using System.Buffers.Binary;

namespace LServe.Model;

/// <summary>
/// Blocks of 32 values with one scale (and, in the _1 types, one minimum). Low nibbles are the first 16 values, high nibbles the others.
/// </summary>
internal static class LegacyFormats
{
    /// <summary>d: f16, q: 16 bytes; value = d · (q − 8).</summary>
    public static void Q4_0(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = FloatFormats.Half(block);
        var q = block[2..];
        for (var i = 0; i < 16; i++)
        {
            values[i] = d * ((q[i] & 15) - 8);
            values[i + 16] = d * ((q[i] >> 4) - 8);
        }
    }

    /// <summary>d, m: f16, q: 16 bytes; value = d · q + m.</summary>
    public static void Q4_1(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = FloatFormats.Half(block);
        var m = FloatFormats.Half(block[2..]);
        var q = block[4..];
        for (var i = 0; i < 16; i++)
        {
            values[i] = d * (q[i] & 15) + m;
            values[i + 16] = d * (q[i] >> 4) + m;
        }
    }

    /// <summary>d: f16, fifth bits: u32, q: 16 bytes; value = d · (q − 16).</summary>
    public static void Q5_0(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = FloatFormats.Half(block);
        var high = BinaryPrimitives.ReadUInt32LittleEndian(block[2..]);
        var q = block[6..];
        for (var i = 0; i < 16; i++)
        {
            values[i] = d * ((q[i] & 15 | FifthBit(high, i)) - 16);
            values[i + 16] = d * ((q[i] >> 4 | FifthBit(high, i + 16)) - 16);
        }
    }

    /// <summary>d, m: f16, fifth bits: u32, q: 16 bytes; value = d · q + m.</summary>
    public static void Q5_1(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = FloatFormats.Half(block);
        var m = FloatFormats.Half(block[2..]);
        var high = BinaryPrimitives.ReadUInt32LittleEndian(block[4..]);
        var q = block[8..];
        for (var i = 0; i < 16; i++)
        {
            values[i] = d * (q[i] & 15 | FifthBit(high, i)) + m;
            values[i + 16] = d * (q[i] >> 4 | FifthBit(high, i + 16)) + m;
        }
    }

    /// <summary>d: f16, q: 32 signed bytes; value = d · q.</summary>
    public static void Q8_0(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = FloatFormats.Half(block);
        var q = block[2..];
        for (var i = 0; i < 32; i++) values[i] = d * (sbyte)q[i];
    }

    private static int FifthBit(uint high, int index) => (int)(high >> index & 1) << 4;
}
