using System.Runtime.Intrinsics;

namespace LServe.Cpu;

/// <summary>
/// What kernels ask of a vector of <see cref="Width"/> floats, so that each kernel is written once for all widths; the compiler
/// specialises and inlines it. Four implementations: <see cref="Lanes512"/>, <see cref="Lanes256"/>, <see cref="Lanes128"/>, <see cref="LanesScalar"/>.
/// Pointers need no alignment.
/// </summary>
internal unsafe interface ILanes<F>
    where F : struct
{
    static abstract int Width { get; }

    static abstract F Fill(float value);
    static abstract F Load(float* from);
    static abstract void Store(float* to, F value);

    static abstract F Add(F a, F b);
    static abstract F Subtract(F a, F b);
    static abstract F Multiply(F a, F b);
    static abstract F Divide(F a, F b);
    static abstract F Max(F a, F b);

    static abstract F Sqrt(F value);

    /// <summary>a · b + c, rounded once.</summary>
    static abstract F MultiplyAdd(F a, F b, F c);

    /// <summary>Sum of all lanes: halves are added until one is left.</summary>
    static abstract float Sum(F value);

    /// <summary><see cref="Sum"/> of each of four, in the same order of additions.</summary>
    static abstract Vector128<float> Sum4(F a, F b, F c, F d);

    static abstract float Largest(F value);

    /// <summary>To the nearest integer, ties to even.</summary>
    static abstract F Round(F value);

    /// <summary>2ⁿ for integral n in −126 … 127.</summary>
    static abstract F PowerOfTwo(F n);

    /// <summary>Lane by lane: x &lt; limit ? ifBelow : otherwise.</summary>
    static abstract F SelectBelow(F x, F limit, F ifBelow, F otherwise);

    /// <summary>Keeps the first <paramref name="count"/> lanes, any integer, and puts −∞ into the others.</summary>
    static abstract F MaskAfter(F value, int count);

    /// <summary>
    /// Float16 to float32, exact for finite values: sign and magnitude move to their places in a float32, whose exponent is then 112 too
    /// small; a multiplication by 2¹¹² puts that right for subnormals, too. (.NET has no intrinsics for the conversion instructions.)
    /// </summary>
    static abstract F LoadHalf(ushort* from);

    static abstract F LoadBFloat16(ushort* from);

    static abstract F LoadInt8(sbyte* from);

    /// <summary>What <see cref="Nibbles"/> needs to read a 4-bit code q as scale · q + offset, in two registers.</summary>
    static abstract void NibbleScale(float scale, float offset, out F first, out F second);

    /// <summary>scale · q + offset, rounded once, for the low or high 4 bits q of each of <see cref="Width"/> bytes.</summary>
    static abstract F Nibbles(byte* from, bool high, F first, F second);

    static abstract F LoadByte(byte* from);

    /// <summary>The lower or upper 4 bits of each of <see cref="Width"/> bytes, as a number.</summary>
    static abstract F LoadNibbles(byte* from, bool upperHalf);

    /// <summary>(byte &gt;&gt; shift) &amp; mask of each of <see cref="Width"/> bytes, as a number.</summary>
    static abstract F LoadBits(byte* from, int shift, int mask);

    /// <summary>16 · h + l for the lower or upper 4 bits h and l of each of <see cref="Width"/> bytes of two planes, as a number.</summary>
    static abstract F JoinBits(byte* high, byte* low, bool upperHalf);
}
