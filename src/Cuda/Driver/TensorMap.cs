using System.Runtime.InteropServices;
using static LServe.Cuda.Driver.CudaApi;

namespace LServe.Cuda.Driver;

/// <summary>CUtensorMap: a matrix in device memory as the copy engine brings it into shared memory, box by box. An argument of a kernel, by value.</summary>
[StructLayout(LayoutKind.Sequential, Size = Bytes)]
internal unsafe struct TensorMap
{
    private const int Bytes = 128, Alignment = 64;
    private const int Float16 = 6, NotInterleaved = 0, Swizzle128Bytes = 3, Promote256Bytes = 3, ZerosOutside = 0;

    private ulong _first;

    /// <param name="address">[rows, columns] binary16, aligned to 16 bytes as every row is.</param>
    /// <param name="boxColumns">64: 128 bytes, which the swizzle takes.</param>
    /// <param name="boxRows">At most 256.</param>
    public static TensorMap OfHalves(ulong address, int rows, int columns, int boxRows, int boxColumns = 64)
    {
        var space = stackalloc byte[Bytes + Alignment];
        var map = (TensorMap*)(((nuint)space + Alignment - 1) & ~(nuint)(Alignment - 1));
        var size = stackalloc ulong[2] { (ulong)columns, (ulong)rows };
        var stride = (ulong)columns * sizeof(ushort);
        var box = stackalloc uint[2] { (uint)boxColumns, (uint)boxRows };
        var steps = stackalloc uint[2] { 1, 1 };
        Check(cuTensorMapEncodeTiled(map, Float16, 2, address, size, &stride, box, steps, NotInterleaved, Swizzle128Bytes, Promote256Bytes, ZerosOutside));
        return *map;
    }
}
