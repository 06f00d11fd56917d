using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LServe.Cpu;

/// <summary>8 floats: AVX2 with FMA.</summary>
internal readonly unsafe struct Lanes256 : ILanes<Vector256<float>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Width { [MethodImpl(Inline)] get => 8; }

    [MethodImpl(Inline)] public static Vector256<float> Fill(float value) => Vector256.Create(value);
    [MethodImpl(Inline)] public static Vector256<float> Load(float* from) => Vector256.Load(from);
    [MethodImpl(Inline)] public static void Store(float* to, Vector256<float> value) => value.Store(to);
    [MethodImpl(Inline)] public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => a + b;
    [MethodImpl(Inline)] public static Vector256<float> Subtract(Vector256<float> a, Vector256<float> b) => a - b;
    [MethodImpl(Inline)] public static Vector256<float> Multiply(Vector256<float> a, Vector256<float> b) => a * b;
    [MethodImpl(Inline)] public static Vector256<float> Divide(Vector256<float> a, Vector256<float> b) => a / b;
    [MethodImpl(Inline)] public static Vector256<float> Sqrt(Vector256<float> value) => Vector256.Sqrt(value);
    [MethodImpl(Inline)] public static Vector256<float> Max(Vector256<float> a, Vector256<float> b) => Avx.Max(a, b);

    [MethodImpl(Inline)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Vector256.FusedMultiplyAdd(a, b, c);

    [MethodImpl(Inline)] public static float Sum(Vector256<float> value) => Lanes128.Sum(value.GetLower() + value.GetUpper());
    [MethodImpl(Inline)] public static float Largest(Vector256<float> value) => Lanes128.Largest(Lanes128.Max(value.GetLower(), value.GetUpper()));

    [MethodImpl(Inline)]
    public static Vector128<float> Sum4(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d) =>
        Lanes128.Sum4(a.GetLower() + a.GetUpper(), b.GetLower() + b.GetUpper(), c.GetLower() + c.GetUpper(), d.GetLower() + d.GetUpper());

    [MethodImpl(Inline)] public static Vector256<float> Round(Vector256<float> value) => Vector256.Round(value);

    [MethodImpl(Inline)]
    public static Vector256<float> PowerOfTwo(Vector256<float> n) =>
        ((Avx.ConvertToVector256Int32(n) + Vector256.Create(127)) << 23).AsSingle();

    [MethodImpl(Inline)]
    public static Vector256<float> SelectBelow(Vector256<float> x, Vector256<float> limit, Vector256<float> ifBelow, Vector256<float> otherwise) =>
        Vector256.ConditionalSelect(Vector256.LessThan(x, limit), ifBelow, otherwise);

    [MethodImpl(Inline)]
    public static Vector256<float> MaskAfter(Vector256<float> value, int count) =>
        Vector256.ConditionalSelect(
            Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle(), value, Vector256.Create(float.NegativeInfinity));

    [MethodImpl(Inline)]
    public static Vector256<float> LoadHalf(ushort* from)
    {
        var bits = Avx2.ConvertToVector256Int32((short*)from) << 13;
        return (bits & Vector256.Create(unchecked((int)0x8FFFE000))).AsSingle() * Vector256.Create(HalfBits.Rebias);
    }

    [MethodImpl(Inline)]
    public static Vector256<float> LoadBFloat16(ushort* from) => (Avx2.ConvertToVector256Int32(from) << 16).AsSingle();

    [MethodImpl(Inline)]
    public static Vector256<float> LoadInt8(sbyte* from) => Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(from));

    [MethodImpl(Inline)]
    public static Vector256<float> LoadByte(byte* from) => Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(from));

    [MethodImpl(Inline)]
    public static void NibbleScale(float scale, float offset, out Vector256<float> first, out Vector256<float> second) =>
        (first, second) = (Vector256.Create(scale), Vector256.Create(offset));

    [MethodImpl(Inline)]
    public static Vector256<float> Nibbles(byte* from, bool high, Vector256<float> first, Vector256<float> second)
    {
        var bytes = Avx2.ConvertToVector256Int32(from);
        var codes = high ? bytes >>> 4 : bytes & Vector256.Create(15);
        return Vector256.FusedMultiplyAdd(Avx.ConvertToVector256Single(codes), first, second);
    }

    [MethodImpl(Inline)] public static Vector256<float> LoadNibbles(byte* from, bool upperHalf) => LoadBits(from, upperHalf ? 4 : 0, 15);

    [MethodImpl(Inline)]
    public static Vector256<float> LoadBits(byte* from, int shift, int mask) =>
        Avx.ConvertToVector256Single((Avx2.ConvertToVector256Int32(from) >>> shift) & Vector256.Create(mask));

    [MethodImpl(Inline)]
    public static Vector256<float> JoinBits(byte* high, byte* low, bool upperHalf)
    {
        Vector128<byte> h = Vector128.CreateScalarUnsafe(*(ulong*)high).AsByte(), l = Vector128.CreateScalarUnsafe(*(ulong*)low).AsByte();
        return Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(Join.Codes(h, l, upperHalf)));
    }
}
