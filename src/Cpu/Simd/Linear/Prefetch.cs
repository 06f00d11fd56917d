using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace LServe.Cpu;

/// <summary>Asks for cache lines before they are needed, where the machine has an instruction for it. Any address will do.</summary>
internal static unsafe class Prefetch
{
    /// <summary>Bytes of a cache line.</summary>
    public const int Line = 64;

    /// <summary>
    /// Bytes ahead: what a core that multiplies 4-bit weights uses up while memory answers, with room for memory that others keep busy; twice
    /// as much no longer fits the first level beside x. Four rows at a time are no pattern that the hardware's own prefetcher keeps up with.
    /// </summary>
    public const int Ahead = 8192;

    /// <summary>The lines that begin in <paramref name="bytes"/> from <paramref name="address"/>, into the second level.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SecondLevel(byte* address, int bytes)
    {
        if (!Sse.IsSupported) return;
        for (var at = 0; at < bytes; at += Line) Sse.Prefetch1(address + at);
    }

    /// <summary>The lines that begin in <paramref name="bytes"/> from <paramref name="address"/>; a constant of at most four lines.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Lines(byte* address, int bytes)
    {
        if (!Sse.IsSupported) return;
        Sse.Prefetch0(address);
        if (bytes > Line) Sse.Prefetch0(address + Line);
        if (bytes > 2 * Line) Sse.Prefetch0(address + 2 * Line);
        if (bytes > 3 * Line) Sse.Prefetch0(address + 3 * Line);
    }
}
