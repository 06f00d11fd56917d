using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LServe.Cpu;

/// <summary>4 floats in portable operations: Arm's Advanced SIMD, SSE.</summary>
internal readonly unsafe struct Lanes128 : ILanes<Vector128<float>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Width { [MethodImpl(Inline)] get => 4; }

    [MethodImpl(Inline)] public static Vector128<float> Fill(float value) => Vector128.Create(value);
    [MethodImpl(Inline)] public static Vector128<float> Load(float* from) => Vector128.Load(from);
    [MethodImpl(Inline)] public static void Store(float* to, Vector128<float> value) => value.Store(to);
    [MethodImpl(Inline)] public static Vector128<float> Add(Vector128<float> a, Vector128<float> b) => a + b;
    [MethodImpl(Inline)] public static Vector128<float> Subtract(Vector128<float> a, Vector128<float> b) => a - b;
    [MethodImpl(Inline)] public static Vector128<float> Multiply(Vector128<float> a, Vector128<float> b) => a * b;
    [MethodImpl(Inline)] public static Vector128<float> Divide(Vector128<float> a, Vector128<float> b) => a / b;
    [MethodImpl(Inline)] public static Vector128<float> Sqrt(Vector128<float> value) => Vector128.Sqrt(value);
    [MethodImpl(Inline)] public static Vector128<float> Max(Vector128<float> a, Vector128<float> b) => Vector128.MaxNative(a, b);

    [MethodImpl(Inline)]
    public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c) => Vector128.FusedMultiplyAdd(a, b, c);

    [MethodImpl(Inline)]
    public static float Sum(Vector128<float> value)
    {
        var pairs = value + Vector128.Shuffle(value, Vector128.Create(2, 3, 0, 1));
        return pairs.ToScalar() + pairs.GetElement(1);
    }

    [MethodImpl(Inline)]
    public static float Largest(Vector128<float> value)
    {
        var pairs = Max(value, Vector128.Shuffle(value, Vector128.Create(2, 3, 0, 1)));
        return Max(pairs, Vector128.Shuffle(pairs, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    [MethodImpl(Inline)]
    public static Vector128<float> Sum4(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d) =>
        Vector128.Create(Sum(a), Sum(b), Sum(c), Sum(d));

    [MethodImpl(Inline)] public static Vector128<float> Round(Vector128<float> value) => Vector128.Round(value);

    [MethodImpl(Inline)]
    public static Vector128<float> PowerOfTwo(Vector128<float> n) =>
        ((Vector128.ConvertToInt32Native(n) + Vector128.Create(127)) << 23).AsSingle();

    [MethodImpl(Inline)]
    public static Vector128<float> SelectBelow(Vector128<float> x, Vector128<float> limit, Vector128<float> ifBelow, Vector128<float> otherwise) =>
        Vector128.ConditionalSelect(Vector128.LessThan(x, limit), ifBelow, otherwise);

    [MethodImpl(Inline)]
    public static Vector128<float> MaskAfter(Vector128<float> value, int count) =>
        Vector128.ConditionalSelect(
            Vector128.LessThan(Vector128<int>.Indices, Vector128.Create(count)).AsSingle(), value, Vector128.Create(float.NegativeInfinity));

    [MethodImpl(Inline)]
    public static Vector128<float> LoadHalf(ushort* from)
    {
        var bits = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(long*)from).AsInt16()) << 13;
        return (bits & Vector128.Create(unchecked((int)0x8FFFE000))).AsSingle() * Vector128.Create(HalfBits.Rebias);
    }

    [MethodImpl(Inline)]
    public static Vector128<float> LoadBFloat16(ushort* from) =>
        (Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)from).AsUInt16()) << 16).AsSingle();

    [MethodImpl(Inline)]
    public static Vector128<float> LoadInt8(sbyte* from) =>
        Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(int*)from).AsSByte())));

    [MethodImpl(Inline)]
    public static Vector128<float> LoadByte(byte* from) =>
        Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)from).AsByte())).AsInt32());

    [MethodImpl(Inline)]
    public static void NibbleScale(float scale, float offset, out Vector128<float> first, out Vector128<float> second) =>
        (first, second) = (Vector128.Create(scale), Vector128.Create(offset));

    [MethodImpl(Inline)]
    public static Vector128<float> Nibbles(byte* from, bool high, Vector128<float> first, Vector128<float> second)
    {
        var bytes = Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)from).AsByte())).AsInt32();
        var codes = high ? bytes >>> 4 : bytes & Vector128.Create(15);
        return Vector128.FusedMultiplyAdd(Vector128.ConvertToSingle(codes), first, second);
    }

    [MethodImpl(Inline)] public static Vector128<float> LoadNibbles(byte* from, bool upperHalf) => LoadBits(from, upperHalf ? 4 : 0, 15);

    [MethodImpl(Inline)]
    public static Vector128<float> LoadBits(byte* from, int shift, int mask)
    {
        var bytes = Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)from).AsByte())).AsInt32();
        return Vector128.ConvertToSingle((bytes >>> shift) & Vector128.Create(mask));
    }

    [MethodImpl(Inline)]
    public static Vector128<float> JoinBits(byte* high, byte* low, bool upperHalf)
    {
        Vector128<byte> h = Vector128.CreateScalarUnsafe(*(uint*)high).AsByte(), l = Vector128.CreateScalarUnsafe(*(uint*)low).AsByte();
        return Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(Join.Codes(h, l, upperHalf))).AsInt32());
    }
}
