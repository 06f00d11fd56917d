using System.Runtime.CompilerServices;

namespace LServe.Cpu;

/// <summary>One output, for machines without vectors.</summary>
internal readonly unsafe struct CodeLanesScalar : ICodeLanes<int, float>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    [MethodImpl(Inline)] public static int Load(byte* from) => *(int*)from;
    [MethodImpl(Inline)] public static void Store(byte* to, int value) => *(int*)to = value;
    [MethodImpl(Inline)] public static int Fill(int bytes) => bytes;

    [MethodImpl(Inline)]
    public static void Transpose(byte* from, long rowBytes, out int a, out int b, out int c, out int d) =>
        (a, b, c, d) = (*(int*)from, *(int*)(from + 4), *(int*)(from + 8), *(int*)(from + 12));

    [MethodImpl(Inline)] public static int Heads(byte* from, long rowBytes) => *(int*)from;
    [MethodImpl(Inline)] public static int LowNibbles(int bytes) => bytes & 0x0F0F0F0F;
    [MethodImpl(Inline)] public static int HighNibbles(int bytes) => (bytes >>> 4) & 0x0F0F0F0F;
    [MethodImpl(Inline)] public static int Unsign(int bytes) => bytes ^ unchecked((int)0x80808080);

    [MethodImpl(Inline)]
    public static int AddProducts(int sums, int codes, int x) =>
        sums + (byte)codes * (sbyte)x + (byte)(codes >> 8) * (sbyte)(x >> 8) + (byte)(codes >> 16) * (sbyte)(x >> 16) + (byte)(codes >> 24) * (sbyte)(x >> 24);

    [MethodImpl(Inline)] public static float Total(int sums) => sums;
    [MethodImpl(Inline)] public static float LowHalf(int bytes) => HalfBits.ToSingle((ushort)bytes);
    [MethodImpl(Inline)] public static float HighHalf(int bytes) => HalfBits.ToSingle((ushort)(bytes >>> 16));
    [MethodImpl(Inline)] public static void StoreInt8(sbyte* to, float values) => *to = (sbyte)values;
}
