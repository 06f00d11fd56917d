using System.Runtime.CompilerServices;

namespace LServe.Cpu;

/// <summary>The first bits of the high plane of key codes, under a mask (docs/KV_LAYOUT.md): a row is a channel of 64 tokens in 32 bytes, of which the upper halves are its tokens 32 … 63.</summary>
internal readonly unsafe struct KvPlane(int mask) : IKvElement
{
    private const int Half = KvPageLayout.PlaneRow;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public F Load<L, F>(byte* plane, long row, long column) where L : ILanes<F> where F : struct =>
        column < Half ? L.LoadBits(plane + row / 2 + column, 0, mask) : L.LoadBits(plane + row / 2 + column - Half, 4, mask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void LoadFour<L, F>(byte* plane, long row, long column, out F a, out F b, out F c, out F d) where L : ILanes<F> where F : struct
    {
        var from = plane + row / 2;
        if (L.Width * 4 > Half)
            (a, b, c, d) = (L.LoadBits(from, 0, mask), L.LoadBits(from + L.Width, 0, mask), L.LoadBits(from, 4, mask), L.LoadBits(from + L.Width, 4, mask));
        else if (column < Half)
            (a, b, c, d) = Quarter<L, F>(from + column, 0);
        else
            (a, b, c, d) = Quarter<L, F>(from + column - Half, 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private (F, F, F, F) Quarter<L, F>(byte* from, int shift) where L : ILanes<F> where F : struct =>
        (L.LoadBits(from, shift, mask), L.LoadBits(from + L.Width, shift, mask), L.LoadBits(from + 2 * L.Width, shift, mask), L.LoadBits(from + 3 * L.Width, shift, mask));
}

/// <summary>All four bits of a plane of key codes; rows as in <see cref="KvPlane"/>.</summary>
internal readonly unsafe struct KvNibbles : IKvElement
{
    private const int Half = KvPageLayout.PlaneRow;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public F Load<L, F>(byte* plane, long row, long column) where L : ILanes<F> where F : struct =>
        column < Half ? L.LoadNibbles(plane + row / 2 + column, false) : L.LoadNibbles(plane + row / 2 + column - Half, true);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void LoadFour<L, F>(byte* plane, long row, long column, out F a, out F b, out F c, out F d) where L : ILanes<F> where F : struct
    {
        var from = plane + row / 2;
        if (L.Width * 4 > Half)
            (a, b, c, d) = (L.LoadNibbles(from, false), L.LoadNibbles(from + L.Width, false), L.LoadNibbles(from, true), L.LoadNibbles(from + L.Width, true));
        else if (column < Half)
            (a, b, c, d) = Quarter<L, F>(from + column, false);
        else
            (a, b, c, d) = Quarter<L, F>(from + column - Half, true);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (F, F, F, F) Quarter<L, F>(byte* from, bool upper) where L : ILanes<F> where F : struct => upper
        ? (L.LoadNibbles(from, true), L.LoadNibbles(from + L.Width, true), L.LoadNibbles(from + 2 * L.Width, true), L.LoadNibbles(from + 3 * L.Width, true))
        : (L.LoadNibbles(from, false), L.LoadNibbles(from + L.Width, false), L.LoadNibbles(from + 2 * L.Width, false), L.LoadNibbles(from + 3 * L.Width, false));
}

/// <summary>Both planes of 8-bit key codes joined; rows as in <see cref="KvPlane"/>.</summary>
/// <param name="low">Bytes from the high plane to the low one.</param>
internal readonly unsafe struct KvJoined(int low) : IKvElement
{
    private const int Half = KvPageLayout.PlaneRow;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public F Load<L, F>(byte* plane, long row, long column) where L : ILanes<F> where F : struct
    {
        var upper = column >= Half;
        var from = plane + row / 2 + (upper ? column - Half : column);
        return upper ? L.JoinBits(from, from + low, upperHalf: true) : L.JoinBits(from, from + low, upperHalf: false);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void LoadFour<L, F>(byte* plane, long row, long column, out F a, out F b, out F c, out F d) where L : ILanes<F> where F : struct
    {
        var from = plane + row / 2;
        if (L.Width * 4 > Half)
        {
            var next = from + L.Width;
            (a, b) = (L.JoinBits(from, from + low, false), L.JoinBits(next, next + low, false));
            (c, d) = (L.JoinBits(from, from + low, true), L.JoinBits(next, next + low, true));
        }
        else if (column < Half)
            (a, b, c, d) = Quarter<L, F>(from + column, false);
        else
            (a, b, c, d) = Quarter<L, F>(from + column - Half, true);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private (F, F, F, F) Quarter<L, F>(byte* from, bool upper) where L : ILanes<F> where F : struct
    {
        byte* second = from + L.Width, third = second + L.Width, fourth = third + L.Width;
        return upper
            ? (L.JoinBits(from, from + low, true), L.JoinBits(second, second + low, true), L.JoinBits(third, third + low, true), L.JoinBits(fourth, fourth + low, true))
            : (L.JoinBits(from, from + low, false), L.JoinBits(second, second + low, false), L.JoinBits(third, third + low, false), L.JoinBits(fourth, fourth + low, false));
    }
}
