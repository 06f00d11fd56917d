using System.Runtime.CompilerServices;
using System.Buffers.Binary;

namespace LServe.Model;

/// <summary>A fast hash of short byte strings for tables in memory. Not stable, not for hostile keys of unbounded count.</summary>
internal static class ByteHash
{
    private const ulong Multiplier = 0x9E3779B97F4A7C15;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        var hash = (ulong)bytes.Length * Multiplier;
        for (; bytes.Length >= 8; bytes = bytes[8..]) hash = Mix(hash, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        ulong tail = 0;
        foreach (var b in bytes) tail = tail << 8 | b;
        return (uint)(Mix(hash, tail) >> 32);
    }

    public static uint Of(ulong key) => (uint)(Mix(0, key) >> 32);

    private static ulong Mix(ulong hash, ulong value)
    {
        hash = (hash ^ value) * Multiplier;
        return hash ^ hash >> 29;
    }
}
