using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LServe.Cpu;

/// <summary>One float: for machines without vectors, and for the ends of rows that no vector divides.</summary>
internal readonly unsafe struct LanesScalar : ILanes<float>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Width { [MethodImpl(Inline)] get => 1; }

    [MethodImpl(Inline)] public static float Fill(float value) => value;
    [MethodImpl(Inline)] public static float Load(float* from) => *from;
    [MethodImpl(Inline)] public static void Store(float* to, float value) => *to = value;
    [MethodImpl(Inline)] public static float Add(float a, float b) => a + b;
    [MethodImpl(Inline)] public static float Subtract(float a, float b) => a - b;
    [MethodImpl(Inline)] public static float Multiply(float a, float b) => a * b;
    [MethodImpl(Inline)] public static float Divide(float a, float b) => a / b;
    [MethodImpl(Inline)] public static float Sqrt(float value) => MathF.Sqrt(value);
    [MethodImpl(Inline)] public static float Max(float a, float b) => a > b ? a : b;
    [MethodImpl(Inline)] public static float MultiplyAdd(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);
    [MethodImpl(Inline)] public static float Sum(float value) => value;
    [MethodImpl(Inline)] public static float Largest(float value) => value;
    [MethodImpl(Inline)] public static Vector128<float> Sum4(float a, float b, float c, float d) => Vector128.Create(a, b, c, d);
    [MethodImpl(Inline)] public static float Round(float value) => MathF.Round(value);
    [MethodImpl(Inline)] public static float PowerOfTwo(float n) => BitConverter.Int32BitsToSingle(((int)n + 127) << 23);

    [MethodImpl(Inline)]
    public static float SelectBelow(float x, float limit, float ifBelow, float otherwise) => x < limit ? ifBelow : otherwise;

    [MethodImpl(Inline)] public static float MaskAfter(float value, int count) => count > 0 ? value : float.NegativeInfinity;
    [MethodImpl(Inline)] public static float LoadHalf(ushort* from) => HalfBits.ToSingle(*from);
    [MethodImpl(Inline)] public static float LoadBFloat16(ushort* from) => BitConverter.Int32BitsToSingle(*from << 16);
    [MethodImpl(Inline)] public static float LoadInt8(sbyte* from) => *from;

    [MethodImpl(Inline)] public static float LoadByte(byte* from) => *from;

    [MethodImpl(Inline)]
    public static void NibbleScale(float scale, float offset, out float first, out float second) => (first, second) = (scale, offset);

    [MethodImpl(Inline)]
    public static float Nibbles(byte* from, bool high, float first, float second) =>
        MathF.FusedMultiplyAdd(high ? *from >> 4 : *from & 15, first, second);

    [MethodImpl(Inline)] public static float LoadNibbles(byte* from, bool upperHalf) => LoadBits(from, upperHalf ? 4 : 0, 15);

    [MethodImpl(Inline)] public static float LoadBits(byte* from, int shift, int mask) => (*from >> shift) & mask;

    [MethodImpl(Inline)]
    public static float JoinBits(byte* high, byte* low, bool upperHalf) =>
        upperHalf ? (*high & 0xF0) | (*low >> 4) : ((*high & 15) << 4) | (*low & 15);
}
