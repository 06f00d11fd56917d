namespace LServe.Inference;

/// <summary>
/// A piece of a head's page in which every token has its own bytes: an array [rows][items]. What a page is made of in this way can be saved
/// token by token, as it fills (<see cref="PageForm"/>).
/// </summary>
/// <param name="Rows">Such as channels, when keys lie channel by channel; 1 when tokens lie one behind the other.</param>
/// <param name="Items">Items of a row: one per token, or one per logical page, which belongs to its last token.</param>
/// <param name="ItemBytes">Bytes of an item.</param>
public readonly record struct PageStrip(int Rows, int Items, int ItemBytes)
{
    private const int Tokens = KvGeometry.PageTokens, Half = Tokens / 2;

    /// <summary>Whether an item has 4 bits: byte j of a row has token j in its low half and token j + 32 in its high half. Cut out, a token has a byte.</summary>
    public bool Nibbles { get; private init; }

    /// <summary>Bytes of the whole piece.</summary>
    public int Bytes => Rows * RowBytes;

    private int RowBytes => Nibbles ? Half : Items * ItemBytes;

    /// <summary>Rows of 4-bit codes.</summary>
    public static PageStrip OfNibbles(int rows) => new(rows, Tokens, 1) { Nibbles = true };

    /// <summary>Bytes of tokens <paramref name="first"/> … <paramref name="end"/> − 1, cut out.</summary>
    public int BytesOf(int first, int end) => Rows * (ItemAt(end) - ItemAt(first)) * ItemBytes;

    /// <summary>Cuts tokens out of the whole piece.</summary>
    public void Take(ReadOnlySpan<byte> whole, int first, int end, Span<byte> to)
    {
        var (from, count) = (ItemAt(first) * ItemBytes, (ItemAt(end) - ItemAt(first)) * ItemBytes);
        for (var row = 0; row < Rows; row++, whole = whole[RowBytes..], to = to[count..])
            if (!Nibbles) whole.Slice(from, count).CopyTo(to);
            else for (var token = first; token < end; token++) to[token - first] = (byte)(whole[token % Half] >> ShiftOf(token) & 15);
    }

    /// <summary>Puts tokens that were cut out into the whole piece, whose nibbles of these tokens are zero.</summary>
    public void Put(ReadOnlySpan<byte> cut, int first, int end, Span<byte> whole)
    {
        var (at, count) = (ItemAt(first) * ItemBytes, (ItemAt(end) - ItemAt(first)) * ItemBytes);
        for (var row = 0; row < Rows; row++, whole = whole[RowBytes..], cut = cut[count..])
            if (!Nibbles) cut[..count].CopyTo(whole[at..]);
            else for (var token = first; token < end; token++) whole[token % Half] |= (byte)(cut[token - first] << ShiftOf(token));
    }

    /// <summary>Items that are complete before a token.</summary>
    private int ItemAt(int token) => token * Items / Tokens;

    private static int ShiftOf(int token) => token < Half ? 0 : 4;
}
