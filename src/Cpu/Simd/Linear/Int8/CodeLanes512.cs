using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LServe.Cpu;

/// <summary>16 outputs: AVX-512 BW. (.NET 10 has no class for the 512-bit VNNI; with 4-bit codes two instructions do the same work.)</summary>
internal readonly unsafe struct CodeLanes512 : ICodeLanes<Vector512<int>, Vector512<float>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    [MethodImpl(Inline)] public static Vector512<int> Load(byte* from) => Vector512.Load(from).AsInt32();
    [MethodImpl(Inline)] public static void Store(byte* to, Vector512<int> value) => value.AsByte().Store(to);
    [MethodImpl(Inline)] public static Vector512<int> Fill(int bytes) => Vector512.Create(bytes);

    [MethodImpl(Inline)]
    public static void Transpose(byte* from, long rowBytes, out Vector512<int> a, out Vector512<int> b, out Vector512<int> c, out Vector512<int> d)
    {
        Vector512<int> r0 = EveryFourth(from, rowBytes), r1 = EveryFourth(from + rowBytes, rowBytes);
        Vector512<int> r2 = EveryFourth(from + 2 * rowBytes, rowBytes), r3 = EveryFourth(from + 3 * rowBytes, rowBytes);
        Vector512<long> low01 = Avx512F.UnpackLow(r0, r1).AsInt64(), low23 = Avx512F.UnpackLow(r2, r3).AsInt64();
        Vector512<long> high01 = Avx512F.UnpackHigh(r0, r1).AsInt64(), high23 = Avx512F.UnpackHigh(r2, r3).AsInt64();
        a = Avx512F.UnpackLow(low01, low23).AsInt32();
        b = Avx512F.UnpackHigh(low01, low23).AsInt32();
        c = Avx512F.UnpackLow(high01, high23).AsInt32();
        d = Avx512F.UnpackHigh(high01, high23).AsInt32();
    }

    [MethodImpl(Inline)]
    public static Vector512<int> Heads(byte* from, long rowBytes)
    {
        var pairs = Avx512F.UnpackLow(EveryFourth(from, rowBytes), EveryFourth(from + rowBytes, rowBytes)).AsInt64();
        var others = Avx512F.UnpackLow(EveryFourth(from + 2 * rowBytes, rowBytes), EveryFourth(from + 3 * rowBytes, rowBytes)).AsInt64();
        return Avx512F.UnpackLow(pairs, others).AsInt32();
    }

    /// <summary>Rows 0, 4, 8 and 12, so that unpacking within 128 bits leaves the rows in order.</summary>
    [MethodImpl(Inline)]
    private static Vector512<int> EveryFourth(byte* from, long rowBytes)
    {
        var rows = Avx512F.InsertVector128(Vector128.Load(from).ToVector256Unsafe().ToVector512Unsafe(), Vector128.Load(from + 4 * rowBytes), 1);
        rows = Avx512F.InsertVector128(rows, Vector128.Load(from + 8 * rowBytes), 2);
        return Avx512F.InsertVector128(rows, Vector128.Load(from + 12 * rowBytes), 3).AsInt32();
    }

    [MethodImpl(Inline)] public static Vector512<int> LowNibbles(Vector512<int> bytes) => bytes & Vector512.Create(0x0F0F0F0F);
    [MethodImpl(Inline)] public static Vector512<int> HighNibbles(Vector512<int> bytes) => (bytes >>> 4) & Vector512.Create(0x0F0F0F0F);
    [MethodImpl(Inline)] public static Vector512<int> Unsign(Vector512<int> bytes) => bytes ^ Vector512.Create(unchecked((int)0x80808080));

    [MethodImpl(Inline)]
    public static Vector512<int> AddProducts(Vector512<int> sums, Vector512<int> codes, Vector512<int> x) =>
        (sums.AsInt16() + Avx512BW.MultiplyAddAdjacent(codes.AsByte(), x.AsSByte())).AsInt32();

    [MethodImpl(Inline)]
    public static Vector512<float> Total(Vector512<int> sums) =>
        Avx512F.ConvertToVector512Single(Avx512BW.MultiplyAddAdjacent(sums.AsInt16(), Vector512.Create((short)1)));

    [MethodImpl(Inline)] public static Vector512<float> LowHalf(Vector512<int> bytes) => HighHalf(bytes << 16);

    [MethodImpl(Inline)]
    public static Vector512<float> HighHalf(Vector512<int> bytes) =>
        ((bytes >> 3) & Vector512.Create(unchecked((int)0x8FFFE000))).AsSingle() * Vector512.Create(HalfBits.Rebias);

    [MethodImpl(Inline)]
    public static void StoreInt8(sbyte* to, Vector512<float> values) =>
        Avx512F.ConvertToVector128SByte(Avx512F.ConvertToVector512Int32(values)).Store(to);
}
