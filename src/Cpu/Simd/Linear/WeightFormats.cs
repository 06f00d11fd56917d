using System.Runtime.CompilerServices;

namespace LServe.Cpu;

/// <summary>float16 scale d, float16 offset m, 16 bytes: code i in the low half of byte i, code 16 + i in its high half; w = d · q + m.</summary>
internal readonly unsafe struct Q4_1Format : IWeightFormat
{
    public static int Bytes { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 20; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Open<L, F>(byte* block, float* halves, out F first, out F second) where L : ILanes<F> where F : struct =>
        L.NibbleScale(halves[*(ushort*)block], halves[*(ushort*)(block + 2)], out first, out second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Load<L, F>(byte* block, int at, F first, F second) where L : ILanes<F> where F : struct =>
        L.Nibbles(block + 4 + (at & 15), at >= 16, first, second);
}

/// <summary>float16 scale d, 16 bytes of codes as in Q4_1; w = d · (q − 8).</summary>
internal readonly unsafe struct Q4_0Format : IWeightFormat
{
    public static int Bytes { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 18; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Open<L, F>(byte* block, float* halves, out F first, out F second) where L : ILanes<F> where F : struct
    {
        var scale = halves[*(ushort*)block];
        L.NibbleScale(scale, -8 * scale, out first, out second);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Load<L, F>(byte* block, int at, F first, F second) where L : ILanes<F> where F : struct =>
        L.Nibbles(block + 2 + (at & 15), at >= 16, first, second);
}

/// <summary>float16 scale d, 32 signed bytes; w = d · q.</summary>
internal readonly unsafe struct Q8_0Format : IWeightFormat
{
    public static int Bytes { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 34; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Open<L, F>(byte* block, float* halves, out F first, out F second) where L : ILanes<F> where F : struct =>
        first = second = L.Fill(halves[*(ushort*)block]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Load<L, F>(byte* block, int at, F first, F second) where L : ILanes<F> where F : struct =>
        L.Multiply(L.LoadInt8((sbyte*)block + 2 + at), first);
}

/// <summary>32 float16.</summary>
internal readonly unsafe struct F16Format : IWeightFormat
{
    public static int Bytes { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 64; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Open<L, F>(byte* block, float* halves, out F first, out F second) where L : ILanes<F> where F : struct =>
        first = second = default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Load<L, F>(byte* block, int at, F first, F second) where L : ILanes<F> where F : struct => L.LoadHalf((ushort*)block + at);
}

/// <summary>32 bfloat16.</summary>
internal readonly unsafe struct BF16Format : IWeightFormat
{
    public static int Bytes { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 64; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Open<L, F>(byte* block, float* halves, out F first, out F second) where L : ILanes<F> where F : struct =>
        first = second = default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Load<L, F>(byte* block, int at, F first, F second) where L : ILanes<F> where F : struct => L.LoadBFloat16((ushort*)block + at);
}

/// <summary>32 float32.</summary>
internal readonly unsafe struct F32Format : IWeightFormat
{
    public static int Bytes { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 128; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Open<L, F>(byte* block, float* halves, out F first, out F second) where L : ILanes<F> where F : struct =>
        first = second = default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Load<L, F>(byte* block, int at, F first, F second) where L : ILanes<F> where F : struct => L.Load((float*)block + at);
}
