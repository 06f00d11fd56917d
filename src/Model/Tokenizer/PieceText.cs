using System.Globalization;

namespace LServe.Model;

/// <summary>How vocabulary files spell the bytes a token stands for.</summary>
internal enum PieceSpelling
{
    /// <summary>GPT-2's printable alphabet of bytes.</summary>
    ByteAlphabet,

    /// <summary>Text, with U+2581 for a space and <c>&lt;0xHH&gt;</c> for single bytes.</summary>
    SentencePiece,
}

internal static class PieceText
{
    private static ReadOnlySpan<byte> SpaceMark => "▁"u8;

    /// <summary>The bytes that a token stands for.</summary>
    /// <param name="piece">As its file spells it, UTF-8.</param>
    /// <param name="buffer">At least as long as <paramref name="piece"/> and one byte.</param>
    /// <returns>Empty for a byte token that is not spelled as one.</returns>
    public static ReadOnlySpan<byte> Decode(ReadOnlySpan<byte> piece, TokenKind kind, PieceSpelling spelling, Span<byte> buffer)
    {
        if (kind == TokenKind.Byte) return TryByteOf(piece, out buffer[0]) ? buffer[..1] : [];
        return kind == TokenKind.Normal ? DecodeNormal(piece, spelling, buffer) : piece;
    }

    /// <summary>As <see cref="Decode"/>, of an ordinary token.</summary>
    public static ReadOnlySpan<byte> DecodeNormal(ReadOnlySpan<byte> piece, PieceSpelling spelling, Span<byte> buffer)
    {
        var length = spelling == PieceSpelling.ByteAlphabet ? ByteAlphabet.Decode(piece, buffer) : WithSpaces(piece, buffer);
        return length < 0 ? piece : buffer[..length];
    }

    /// <summary>The byte of a piece spelled <c>&lt;0xHH&gt;</c>.</summary>
    public static bool TryByteOf(ReadOnlySpan<byte> piece, out byte value)
    {
        value = 0;
        return piece.Length == 6 && piece.StartsWith("<0x"u8) && piece[5] == '>'
            && byte.TryParse(piece[3..5], NumberStyles.AllowHexSpecifier, null, out value);
    }

    private static int WithSpaces(ReadOnlySpan<byte> piece, Span<byte> bytes)
    {
        var written = 0;
        for (var i = 0; i < piece.Length; i++)
        {
            var isSpace = piece[i..].StartsWith(SpaceMark);
            bytes[written++] = isSpace ? (byte)' ' : piece[i];
            if (isSpace) i += SpaceMark.Length - 1;
        }
        return written;
    }
}
