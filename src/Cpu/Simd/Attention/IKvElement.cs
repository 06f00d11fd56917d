using System.Runtime.CompilerServices;

namespace LServe.Cpu;

/// <summary>How a cached number becomes a float.</summary>
internal unsafe interface IKvElement
{
    static abstract F Load<L, F>(byte* plane, long index) where L : ILanes<F> where F : struct;
}

/// <summary>Cached as float32.</summary>
internal readonly unsafe struct KvFloat : IKvElement
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Load<L, F>(byte* plane, long index) where L : ILanes<F> where F : struct => L.Load((float*)plane + index);
}

/// <summary>Cached as float16.</summary>
internal readonly unsafe struct KvHalf : IKvElement
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Load<L, F>(byte* plane, long index) where L : ILanes<F> where F : struct => L.LoadHalf((ushort*)plane + index);
}
