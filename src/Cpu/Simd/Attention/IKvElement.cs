using System.Runtime.CompilerServices;

namespace LServe.Cpu;

/// <summary>How cached numbers become floats, a vector or four at a time. Rows are counted in elements.</summary>
internal unsafe interface IKvElement
{
    /// <summary>One vector, from a column on.</summary>
    F Load<L, F>(byte* plane, long row, long column) where L : ILanes<F> where F : struct;

    /// <summary>Four vectors side by side; <paramref name="column"/> is a multiple of their width.</summary>
    void LoadFour<L, F>(byte* plane, long row, long column, out F a, out F b, out F c, out F d) where L : ILanes<F> where F : struct;
}

/// <summary>Cached as float32.</summary>
internal readonly unsafe struct KvFloat : IKvElement
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public F Load<L, F>(byte* plane, long row, long column) where L : ILanes<F> where F : struct => L.Load((float*)plane + row + column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void LoadFour<L, F>(byte* plane, long row, long column, out F a, out F b, out F c, out F d) where L : ILanes<F> where F : struct
    {
        var from = (float*)plane + row + column;
        (a, b, c, d) = (L.Load(from), L.Load(from + L.Width), L.Load(from + 2 * L.Width), L.Load(from + 3 * L.Width));
    }
}

/// <summary>Cached as float16.</summary>
internal readonly unsafe struct KvHalf : IKvElement
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public F Load<L, F>(byte* plane, long row, long column) where L : ILanes<F> where F : struct => L.LoadHalf((ushort*)plane + row + column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void LoadFour<L, F>(byte* plane, long row, long column, out F a, out F b, out F c, out F d) where L : ILanes<F> where F : struct
    {
        var from = (ushort*)plane + row + column;
        (a, b, c, d) = (L.LoadHalf(from), L.LoadHalf(from + L.Width), L.LoadHalf(from + 2 * L.Width), L.LoadHalf(from + 3 * L.Width));
    }
}

/// <summary>Bytes as numbers 0 … 255: 8-bit codes of values.</summary>
internal readonly unsafe struct KvByte : IKvElement
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public F Load<L, F>(byte* plane, long row, long column) where L : ILanes<F> where F : struct => L.LoadByte(plane + row + column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void LoadFour<L, F>(byte* plane, long row, long column, out F a, out F b, out F c, out F d) where L : ILanes<F> where F : struct
    {
        var from = plane + row + column;
        (a, b, c, d) = (L.LoadByte(from), L.LoadByte(from + L.Width), L.LoadByte(from + 2 * L.Width), L.LoadByte(from + 3 * L.Width));
    }
}
