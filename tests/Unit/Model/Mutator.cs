using System.Buffers.Binary;

namespace LServe.Tests.Unit.Model;

/// <summary>Damages a file in ways that accidents and attackers do; the same seed does the same damage.</summary>
internal sealed class Mutator(byte[] original, int headerLength)
{
    private static readonly ulong[] Extremes =
    [
        0, 1, 2, 3, 4, 7, 8, 9, 12, 31, 32, 33, 63, 64, 255, 256, 65_535, 65_536, 1 << 20, int.MaxValue, 1ul << 31, uint.MaxValue, 1ul << 32,
        1ul << 40, 1ul << 60, 1ul << 61, long.MaxValue, 1ul << 63, ulong.MaxValue - 7, ulong.MaxValue,
    ];

    public byte[] Mutate(int seed)
    {
        var random = new Random(seed);
        var bytes = original.ToArray();
        for (var i = random.Next(1, 4); i > 0; i--) bytes = MutateOnce(random, bytes);
        return bytes;
    }

    private byte[] MutateOnce(Random random, byte[] bytes)
    {
        if (bytes.Length < 16) return bytes;
        var place = random.Next(Math.Min(headerLength, bytes.Length - 8));
        var extreme = Extremes[random.Next(Extremes.Length)];
        switch (random.Next(8))
        {
            case 0: bytes[place] = (byte)random.Next(256); return bytes;
            case 1: bytes[place] ^= (byte)(1 << random.Next(8)); return bytes;
            case 2: BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(place), extreme); return bytes;
            case 3: BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(place), (uint)extreme); return bytes;
            case 4: return bytes[..random.Next(bytes.Length)];
            case 5: return [.. bytes[..place], .. bytes[(place + random.Next(1, 9))..]];
            case 6: return [.. bytes[..place], .. new byte[random.Next(1, 9)], .. bytes[place..]];
            default:
                var from = random.Next(Math.Min(headerLength, bytes.Length - 8));
                bytes.AsSpan(from, 8).CopyTo(bytes.AsSpan(place));
                return bytes;
        }
    }
}
