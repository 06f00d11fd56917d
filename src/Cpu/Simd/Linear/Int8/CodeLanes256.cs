using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LServe.Cpu;

/// <summary>8 outputs: AVX2, with AVX-VNNI where there is one.</summary>
internal readonly unsafe struct CodeLanes256 : ICodeLanes<Vector256<int>, Vector256<float>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    [MethodImpl(Inline)] public static Vector256<int> Load(byte* from) => Vector256.Load(from).AsInt32();
    [MethodImpl(Inline)] public static void Store(byte* to, Vector256<int> value) => value.AsByte().Store(to);
    [MethodImpl(Inline)] public static Vector256<int> Fill(int bytes) => Vector256.Create(bytes);

    [MethodImpl(Inline)]
    public static void Transpose(byte* from, long rowBytes, out Vector256<int> a, out Vector256<int> b, out Vector256<int> c, out Vector256<int> d)
    {
        Vector256<int> r0 = EveryFourth(from, rowBytes), r1 = EveryFourth(from + rowBytes, rowBytes);
        Vector256<int> r2 = EveryFourth(from + 2 * rowBytes, rowBytes), r3 = EveryFourth(from + 3 * rowBytes, rowBytes);
        Vector256<long> low01 = Avx2.UnpackLow(r0, r1).AsInt64(), low23 = Avx2.UnpackLow(r2, r3).AsInt64();
        Vector256<long> high01 = Avx2.UnpackHigh(r0, r1).AsInt64(), high23 = Avx2.UnpackHigh(r2, r3).AsInt64();
        a = Avx2.UnpackLow(low01, low23).AsInt32();
        b = Avx2.UnpackHigh(low01, low23).AsInt32();
        c = Avx2.UnpackLow(high01, high23).AsInt32();
        d = Avx2.UnpackHigh(high01, high23).AsInt32();
    }

    [MethodImpl(Inline)]
    public static Vector256<int> Heads(byte* from, long rowBytes)
    {
        var pairs = Avx2.UnpackLow(EveryFourth(from, rowBytes), EveryFourth(from + rowBytes, rowBytes)).AsInt64();
        var others = Avx2.UnpackLow(EveryFourth(from + 2 * rowBytes, rowBytes), EveryFourth(from + 3 * rowBytes, rowBytes)).AsInt64();
        return Avx2.UnpackLow(pairs, others).AsInt32();
    }

    /// <summary>Rows 0 and 4, so that unpacking within 128 bits leaves the rows in order.</summary>
    [MethodImpl(Inline)]
    private static Vector256<int> EveryFourth(byte* from, long rowBytes) => Vector256.Create(Vector128.Load(from), Vector128.Load(from + 4 * rowBytes)).AsInt32();

    [MethodImpl(Inline)] public static Vector256<int> LowNibbles(Vector256<int> bytes) => bytes & Vector256.Create(0x0F0F0F0F);
    [MethodImpl(Inline)] public static Vector256<int> HighNibbles(Vector256<int> bytes) => (bytes >>> 4) & Vector256.Create(0x0F0F0F0F);
    [MethodImpl(Inline)] public static Vector256<int> Unsign(Vector256<int> bytes) => bytes ^ Vector256.Create(unchecked((int)0x80808080));

    [MethodImpl(Inline)]
    public static Vector256<int> AddProducts(Vector256<int> sums, Vector256<int> codes, Vector256<int> x) =>
        AvxVnni.IsSupported
            ? AvxVnni.MultiplyWideningAndAdd(sums, codes.AsByte(), x.AsSByte())
            : (sums.AsInt16() + Avx2.MultiplyAddAdjacent(codes.AsByte(), x.AsSByte())).AsInt32();

    [MethodImpl(Inline)]
    public static Vector256<float> Total(Vector256<int> sums) =>
        Avx.ConvertToVector256Single(AvxVnni.IsSupported ? sums : Avx2.MultiplyAddAdjacent(sums.AsInt16(), Vector256.Create((short)1)));

    [MethodImpl(Inline)] public static Vector256<float> LowHalf(Vector256<int> bytes) => HighHalf(bytes << 16);

    [MethodImpl(Inline)]
    public static Vector256<float> HighHalf(Vector256<int> bytes) =>
        ((bytes >> 3) & Vector256.Create(unchecked((int)0x8FFFE000))).AsSingle() * Vector256.Create(HalfBits.Rebias);

    [MethodImpl(Inline)]
    public static void StoreInt8(sbyte* to, Vector256<float> values)
    {
        var integers = Avx.ConvertToVector256Int32(values);
        var shorts = Vector128.Narrow(integers.GetLower(), integers.GetUpper());
        *(long*)to = Vector128.Narrow(shorts, shorts).AsInt64().ToScalar();
    }
}
