using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LServe.Cpu;

/// <summary>4 outputs in portable operations: Arm's Advanced SIMD, SSE.</summary>
internal readonly unsafe struct CodeLanes128 : ICodeLanes<Vector128<int>, Vector128<float>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    [MethodImpl(Inline)] public static Vector128<int> Load(byte* from) => Vector128.Load(from).AsInt32();
    [MethodImpl(Inline)] public static void Store(byte* to, Vector128<int> value) => value.AsByte().Store(to);
    [MethodImpl(Inline)] public static Vector128<int> Fill(int bytes) => Vector128.Create(bytes);

    [MethodImpl(Inline)]
    public static void Transpose(byte* from, long rowBytes, out Vector128<int> a, out Vector128<int> b, out Vector128<int> c, out Vector128<int> d)
    {
        a = Heads(from, rowBytes);
        b = Heads(from + 4, rowBytes);
        c = Heads(from + 8, rowBytes);
        d = Heads(from + 12, rowBytes);
    }

    [MethodImpl(Inline)]
    public static Vector128<int> Heads(byte* from, long rowBytes) =>
        Vector128.Create(*(int*)from, *(int*)(from + rowBytes), *(int*)(from + 2 * rowBytes), *(int*)(from + 3 * rowBytes));

    [MethodImpl(Inline)] public static Vector128<int> LowNibbles(Vector128<int> bytes) => bytes & Vector128.Create(0x0F0F0F0F);
    [MethodImpl(Inline)] public static Vector128<int> HighNibbles(Vector128<int> bytes) => (bytes >>> 4) & Vector128.Create(0x0F0F0F0F);
    [MethodImpl(Inline)] public static Vector128<int> Unsign(Vector128<int> bytes) => bytes ^ Vector128.Create(unchecked((int)0x80808080));

    [MethodImpl(Inline)]
    public static Vector128<int> AddProducts(Vector128<int> sums, Vector128<int> codes, Vector128<int> x)
    {
        var even = (codes.AsInt16() & Vector128.Create((short)0xFF)) * ((x.AsInt16() << 8) >> 8);
        var odd = (codes.AsInt16() >>> 8) * (x.AsInt16() >> 8);
        return (sums.AsInt16() + even + odd).AsInt32();
    }

    [MethodImpl(Inline)] public static Vector128<float> Total(Vector128<int> sums) => Vector128.ConvertToSingle(((sums << 16) >> 16) + (sums >> 16));
    [MethodImpl(Inline)] public static Vector128<float> LowHalf(Vector128<int> bytes) => HighHalf(bytes << 16);

    [MethodImpl(Inline)]
    public static Vector128<float> HighHalf(Vector128<int> bytes) =>
        ((bytes >> 3) & Vector128.Create(unchecked((int)0x8FFFE000))).AsSingle() * Vector128.Create(HalfBits.Rebias);

    [MethodImpl(Inline)]
    public static void StoreInt8(sbyte* to, Vector128<float> values)
    {
        var integers = Vector128.ConvertToInt32Native(values);
        var shorts = Vector128.Narrow(integers, integers);
        *(int*)to = Vector128.Narrow(shorts, shorts).AsInt32().ToScalar();
    }
}
