using System.Buffers.Binary;

namespace LServe.Model;

/// <summary>Types whose four bits choose from an uneven table of sixteen levels.</summary>
internal static class NonLinearFormats
{
    private static ReadOnlySpan<sbyte> Levels => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    /// <summary>d: f16, q: 16 bytes; 32 values.</summary>
    public static void IQ4_NL(ReadOnlySpan<byte> block, Span<float> values) => Nibbles(FloatFormats.Half(block), block[2..], values);

    /// <summary>d: f16, high scale bits: u16, low scale nibbles: 4 bytes, q: 128 bytes; 8 × 32 values.</summary>
    public static void IQ4_XS(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = FloatFormats.Half(block);
        var high = BinaryPrimitives.ReadUInt16LittleEndian(block[2..]);
        var low = block[4..8];
        var q = block[8..];
        for (var i = 0; i < 8; i++)
        {
            var scale = low[i / 2] >> 4 * (i % 2) & 15 | (high >> 2 * i & 3) << 4;
            Nibbles(d * (scale - 32), q[(16 * i)..], values.Slice(32 * i, 32));
        }
    }

    private static void Nibbles(float d, ReadOnlySpan<byte> q, Span<float> values)
    {
        for (var i = 0; i < 16; i++)
        {
            values[i] = d * Levels[q[i] & 15];
            values[i + 16] = d * Levels[q[i] >> 4];
        }
    }
}
