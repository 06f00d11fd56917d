using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LServe.Bench.Micro;

/// <summary>What one core can do at best: bytes read and multiplications made in a second, each the best of many short bursts.</summary>
internal static unsafe class Floors
{
    private const int Bursts = 200;

    /// <summary>10⁹ multiply-adds of float32 a second.</summary>
    public static double MultiplyAdds()
    {
        const int rounds = 20_000;
        return Best(() => MultiplyBurst(rounds), 10.0 * Vector<float>.Count * rounds);
    }

    /// <summary>GB/s read from a block of <paramref name="bytes"/>, a piece at a time.</summary>
    public static double ReadBandwidth(long bytes)
    {
        const int piece = 1 << 20;
        var memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        NativeMemory.Fill(memory, (nuint)bytes, 1);
        var at = 0L;
        var best = Best(() =>
        {
            ReadBurst(memory + at, piece);
            at = (at + piece) % (bytes - piece + 1);
        }, piece);
        NativeMemory.AlignedFree(memory);
        return best;
    }

    private static double Best(Action burst, double work)
    {
        var best = double.MaxValue;
        for (var i = 0; i < Bursts; i++)
        {
            var begin = Stopwatch.GetTimestamp();
            burst();
            best = Math.Min(best, Stopwatch.GetElapsedTime(begin).TotalSeconds);
        }
        return work / best / 1e9;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float MultiplyBurst(int rounds)
    {
        Vector<float> a = default, b = a, c = a, d = a, e = a, f = a, g = a, h = a, i = a, j = a;
        Vector<float> x = new(1.0001f), y = new(0.999f);
        for (var round = 0; round < rounds; round++)
        {
            a = Vector.FusedMultiplyAdd(x, y, a);
            b = Vector.FusedMultiplyAdd(x, y, b);
            c = Vector.FusedMultiplyAdd(x, y, c);
            d = Vector.FusedMultiplyAdd(x, y, d);
            e = Vector.FusedMultiplyAdd(x, y, e);
            f = Vector.FusedMultiplyAdd(x, y, f);
            g = Vector.FusedMultiplyAdd(x, y, g);
            h = Vector.FusedMultiplyAdd(x, y, h);
            i = Vector.FusedMultiplyAdd(x, y, i);
            j = Vector.FusedMultiplyAdd(x, y, j);
        }
        return Vector.Sum(a + b + c + d + e + f + g + h + i + j);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static byte ReadBurst(byte* from, int bytes)
    {
        Vector<byte> a = default, b = a, c = a, d = a;
        var step = Vector<byte>.Count;
        for (var i = 0; i < bytes; i += 4 * step)
        {
            a |= Vector.Load(from + i);
            b |= Vector.Load(from + i + step);
            c |= Vector.Load(from + i + 2 * step);
            d |= Vector.Load(from + i + 3 * step);
        }
        return Vector.Sum(a | b | c | d);
    }
}
