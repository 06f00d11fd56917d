namespace LServe.Model;

/// <summary>Super-blocks of 256 values: sub-blocks of 16 or 32 with scales that are quantised themselves.</summary>
internal static class KFormats
{
    /// <summary>scales and minima: 16 × (4 + 4 bits), q: 64 bytes of 2 bits, d, m: f16; 16 values a sub-block.</summary>
    public static void Q2_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        var scales = block[..16];
        var q = block[16..80];
        var d = FloatFormats.Half(block[80..]);
        var m = FloatFormats.Half(block[82..]);
        for (var i = 0; i < 256; i++)
        {
            var (half, shift, lane, scale) = (i / 128, i % 128 / 32 * 2, i % 32, scales[i / 16]);
            values[i] = d * (scale & 15) * (q[32 * half + lane] >> shift & 3) - m * (scale >> 4);
        }
    }

    /// <summary>third bits: 32 bytes, q: 64 bytes of 2 bits, scales: 16 × 6 bits, d: f16; 16 values a sub-block.</summary>
    public static void Q3_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        var high = block[..32];
        var q = block[32..96];
        var scales = block[96..108];
        var d = FloatFormats.Half(block[108..]);
        for (var i = 0; i < 256; i++)
        {
            var (half, shift, lane) = (i / 128, i % 128 / 32 * 2, i % 32);
            var third = high[lane] >> (i / 32) & 1;
            values[i] = d * (SixBitScale(scales, i / 16) - 32) * ((q[32 * half + lane] >> shift & 3) - 4 * (1 - third));
        }
    }

    /// <summary>d, m: f16, scales and minima: 8 × (6 + 6 bits), q: 128 nibbles twice; 32 values a sub-block.</summary>
    public static void Q4_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = FloatFormats.Half(block);
        var m = FloatFormats.Half(block[2..]);
        var scales = block[4..16];
        var q = block[16..144];
        for (var i = 0; i < 256; i++)
        {
            var (scale, min) = ScaleAndMin(scales, i / 32);
            values[i] = d * scale * Nibble(q, i) - m * min;
        }
    }

    /// <summary>As <see cref="Q4_K"/>, with fifth bits in 32 bytes before the nibbles.</summary>
    public static void Q5_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = FloatFormats.Half(block);
        var m = FloatFormats.Half(block[2..]);
        var scales = block[4..16];
        var high = block[16..48];
        var q = block[48..176];
        for (var i = 0; i < 256; i++)
        {
            var (scale, min) = ScaleAndMin(scales, i / 32);
            var fifth = high[i % 32] >> (i / 32) & 1;
            values[i] = d * scale * (Nibble(q, i) | fifth << 4) - m * min;
        }
    }

    /// <summary>low nibbles: 128 bytes, high pairs of bits: 64 bytes, scales: 16 signed bytes, d: f16; 16 values a sub-block.</summary>
    public static void Q6_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        var low = block[..128];
        var high = block[128..192];
        var scales = block[192..208];
        var d = FloatFormats.Half(block[208..]);
        for (var i = 0; i < 256; i++)
        {
            var (half, quarter, lane) = (i / 128, i % 128 / 32, i % 32);
            var nibble = low[64 * half + 32 * (quarter & 1) + lane] >> (quarter >> 1) * 4 & 15;
            var pair = high[32 * half + lane] >> 2 * quarter & 3;
            values[i] = d * (sbyte)scales[i / 16] * ((nibble | pair << 4) - 32);
        }
    }

    private static int Nibble(ReadOnlySpan<byte> q, int i) => q[i / 64 * 32 + i % 32] >> (i / 32 & 1) * 4 & 15;

    private static int SixBitScale(ReadOnlySpan<byte> scales, int index)
    {
        var low = scales[index % 8] >> (index / 8) * 4 & 15;
        var high = scales[8 + index % 4] >> index / 4 * 2 & 3;
        return low | high << 4;
    }

    private static (int Scale, int Min) ScaleAndMin(ReadOnlySpan<byte> packed, int index) => index < 4
        ? (packed[index] & 63, packed[index + 4] & 63)
        : (packed[index + 4] & 15 | packed[index - 4] >> 6 << 4, packed[index + 4] >> 4 | packed[index] >> 6 << 4);
}
