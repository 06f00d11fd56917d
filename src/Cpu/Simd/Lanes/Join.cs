using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LServe.Cpu;

/// <summary>Bytes from the 4-bit halves of two planes, 16 at a time and before they are widened.</summary>
internal static class Join
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Codes(Vector128<byte> high, Vector128<byte> low, bool upperHalf)
    {
        var upper = Vector128.Create((byte)0xF0);
        return upperHalf
            ? (high & upper) | ((low.AsUInt16() >>> 4).AsByte() & Vector128.Create((byte)15))
            : ((high.AsUInt16() << 4).AsByte() & upper) | (low & Vector128.Create((byte)15));
    }
}
