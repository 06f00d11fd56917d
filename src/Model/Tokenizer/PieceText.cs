using System.Globalization;

namespace LServe.Model;

/// <summary>How SentencePiece vocabularies spell what bytes can't show.</summary>
internal static class PieceText
{
    private static ReadOnlySpan<byte> SpaceMark => "▁"u8;

    /// <summary>Replaces every U+2581 by a space; returns the bytes written.</summary>
    public static int WithSpaces(ReadOnlySpan<byte> piece, Span<byte> bytes)
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

    /// <summary>The byte of a piece spelled <c>&lt;0xHH&gt;</c>.</summary>
    public static bool ByteOf(ReadOnlySpan<byte> piece, Span<byte> value) =>
        piece.Length == 6 && piece.StartsWith("<0x"u8) && piece[5] == '>' && byte.TryParse(piece[3..5], NumberStyles.AllowHexSpecifier, null, out value[0]);
}
