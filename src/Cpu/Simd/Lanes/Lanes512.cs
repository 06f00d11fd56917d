using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LServe.Cpu;

/// <summary>16 floats: AVX-512 with BW and DQ.</summary>
internal readonly unsafe struct Lanes512 : ILanes<Vector512<float>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Width { [MethodImpl(Inline)] get => 16; }

    [MethodImpl(Inline)] public static Vector512<float> Fill(float value) => Vector512.Create(value);
    [MethodImpl(Inline)] public static Vector512<float> Load(float* from) => Vector512.Load(from);
    [MethodImpl(Inline)] public static void Store(float* to, Vector512<float> value) => value.Store(to);
    [MethodImpl(Inline)] public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => a + b;
    [MethodImpl(Inline)] public static Vector512<float> Subtract(Vector512<float> a, Vector512<float> b) => a - b;
    [MethodImpl(Inline)] public static Vector512<float> Multiply(Vector512<float> a, Vector512<float> b) => a * b;
    [MethodImpl(Inline)] public static Vector512<float> Divide(Vector512<float> a, Vector512<float> b) => a / b;
    [MethodImpl(Inline)] public static Vector512<float> Sqrt(Vector512<float> value) => Vector512.Sqrt(value);
    [MethodImpl(Inline)] public static Vector512<float> Max(Vector512<float> a, Vector512<float> b) => Avx512F.Max(a, b);

    [MethodImpl(Inline)]
    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Vector512.FusedMultiplyAdd(a, b, c);

    [MethodImpl(Inline)] public static float Sum(Vector512<float> value) => Lanes256.Sum(value.GetLower() + value.GetUpper());
    [MethodImpl(Inline)] public static float Largest(Vector512<float> value) => Lanes256.Largest(Avx.Max(value.GetLower(), value.GetUpper()));

    [MethodImpl(Inline)]
    public static Vector128<float> Sum4(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        var ab = Avx512F.Shuffle4x128(a, b, 0b01_00_01_00) + Avx512F.Shuffle4x128(a, b, 0b11_10_11_10);
        var cd = Avx512F.Shuffle4x128(c, d, 0b01_00_01_00) + Avx512F.Shuffle4x128(c, d, 0b11_10_11_10);
        var abcd = Avx512F.Shuffle4x128(ab, cd, 0b10_00_10_00) + Avx512F.Shuffle4x128(ab, cd, 0b11_01_11_01);
        abcd += Avx512F.Permute4x32(abcd, 0b01_00_11_10);
        abcd += Avx512F.Permute4x32(abcd, 0b10_11_00_01);
        return Avx512F.PermuteVar16x32(abcd, Vector512.Create(0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12)).GetLower().GetLower();
    }

    [MethodImpl(Inline)] public static Vector512<float> Round(Vector512<float> value) => Vector512.Round(value);

    [MethodImpl(Inline)]
    public static Vector512<float> PowerOfTwo(Vector512<float> n) =>
        ((Avx512F.ConvertToVector512Int32(n) + Vector512.Create(127)) << 23).AsSingle();

    [MethodImpl(Inline)]
    public static Vector512<float> SelectBelow(Vector512<float> x, Vector512<float> limit, Vector512<float> ifBelow, Vector512<float> otherwise) =>
        Vector512.ConditionalSelect(Vector512.LessThan(x, limit), ifBelow, otherwise);

    [MethodImpl(Inline)]
    public static Vector512<float> MaskAfter(Vector512<float> value, int count) =>
        Vector512.ConditionalSelect(
            Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle(), value, Vector512.Create(float.NegativeInfinity));

    [MethodImpl(Inline)]
    public static Vector512<float> LoadHalf(ushort* from)
    {
        var bits = Avx512F.ConvertToVector512Int32(Vector256.Load((short*)from)) << 13;
        return (bits & Vector512.Create(unchecked((int)0x8FFFE000))).AsSingle() * Vector512.Create(HalfBits.Rebias);
    }

    [MethodImpl(Inline)]
    public static Vector512<float> LoadBFloat16(ushort* from) => (Avx512F.ConvertToVector512Int32(Vector256.Load(from)) << 16).AsSingle();

    [MethodImpl(Inline)]
    public static Vector512<float> LoadInt8(sbyte* from) => Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(from)));

    [MethodImpl(Inline)] public static Vector512<float> LoadByte(byte* from) => Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(from)));

    /// <summary>All 16 values a code can stand for: reading a code is then one permutation.</summary>
    [MethodImpl(Inline)]
    public static void NibbleScale(float scale, float offset, out Vector512<float> first, out Vector512<float> second)
    {
        var codes = Vector512.Create(0f, 1f, 2f, 3f, 4f, 5f, 6f, 7f, 8f, 9f, 10f, 11f, 12f, 13f, 14f, 15f);
        first = Vector512.FusedMultiplyAdd(codes, Vector512.Create(scale), Vector512.Create(offset));
        second = first;
    }

    [MethodImpl(Inline)]
    public static Vector512<float> Nibbles(byte* from, bool high, Vector512<float> first, Vector512<float> second)
    {
        // The permutation looks at the lowest 4 bits of an index alone, so that no mask is needed.
        var codes = Avx512F.ConvertToVector512Int32(Vector128.Load(from));
        return Avx512F.PermuteVar16x32(first, high ? codes >>> 4 : codes);
    }

    [MethodImpl(Inline)]
    public static Vector512<float> LoadNibbles(byte* from, bool upperHalf)
    {
        // One permutation both masks and converts.
        var codes = Avx512F.ConvertToVector512Int32(Vector128.Load(from));
        return Avx512F.PermuteVar16x32(
            Vector512.Create(0f, 1f, 2f, 3f, 4f, 5f, 6f, 7f, 8f, 9f, 10f, 11f, 12f, 13f, 14f, 15f), upperHalf ? codes >>> 4 : codes);
    }

    [MethodImpl(Inline)]
    public static Vector512<float> LoadBits(byte* from, int shift, int mask) =>
        Avx512F.ConvertToVector512Single((Avx512F.ConvertToVector512Int32(Vector128.Load(from)) >>> shift) & Vector512.Create(mask));

    [MethodImpl(Inline)]
    public static Vector512<float> JoinBits(byte* high, byte* low, bool upperHalf)
    {
        // Widened first: one instruction then takes the upper four bits of one and the lower four of the other.
        Vector512<int> h = Avx512F.ConvertToVector512Int32(Vector128.Load(high)), l = Avx512F.ConvertToVector512Int32(Vector128.Load(low));
        return Avx512F.ConvertToVector512Single(Vector512.ConditionalSelect(Vector512.Create(0xF0), upperHalf ? h : h << 4, upperHalf ? l >>> 4 : l));
    }
}
