using System.Runtime.CompilerServices;

namespace LServe.Model;

/// <summary>
/// The printable alphabet in which GPT-2's vocabulary files write bytes: visible Latin-1 characters stand for themselves, the other 68
/// bytes for U+0100 … U+0143 in order.
/// </summary>
/// <remarks>Radford et al., GPT-2, encoder.py: bytes_to_unicode.</remarks>
internal static class ByteAlphabet
{
    private const int Size = 0x144;
    private static readonly short[] ByteOf = Build();

    /// <summary>Turns a piece of a vocabulary file (UTF-8) into the bytes it stands for.</summary>
    /// <param name="bytes">At least as long as <paramref name="piece"/>.</param>
    /// <returns>Bytes written, or -1 if the piece has a character outside the alphabet.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Decode(ReadOnlySpan<byte> piece, Span<byte> bytes)
    {
        var written = 0;
        for (var i = 0; i < piece.Length; i++)
        {
            int character = piece[i];
            var isTwoBytes = character is >= 0xC0 and < 0xE0 && i + 1 < piece.Length;
            if (character >= 0x80 && !isTwoBytes) return -1;
            if (isTwoBytes) character = (character & 0x1F) << 6 | piece[++i] & 0x3F;
            if (character >= Size || ByteOf[character] < 0) return -1;
            bytes[written++] = (byte)ByteOf[character];
        }
        return written;
    }

    private static short[] Build()
    {
        var map = new short[Size];
        Array.Fill(map, (short)-1);
        var next = 256;
        for (short b = 0; b < 256; b++)
        {
            var isVisible = b is >= 0x21 and <= 0x7E or >= 0xA1 and <= 0xAC or >= 0xAE;
            map[isVisible ? b : next++] = b;
        }
        return map;
    }
}
