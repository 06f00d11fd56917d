namespace LServe.Cpu;

/// <summary>
/// What integer products ask of a vector that has four bytes for each of as many outputs as <see cref="ILanes{F}"/> has floats. All of
/// them are exact, so that every width gives the same numbers. Four implementations: <see cref="CodeLanes512"/>,
/// <see cref="CodeLanes256"/>, <see cref="CodeLanes128"/>, <see cref="CodeLanesScalar"/>. Pointers need no alignment.
/// </summary>
internal unsafe interface ICodeLanes<V, F>
    where V : struct
    where F : struct
{
    static abstract V Load(byte* from);
    static abstract void Store(byte* to, V value);

    /// <summary>The same four bytes for every output.</summary>
    static abstract V Fill(int bytes);

    /// <summary>
    /// Sixteen bytes of each of as many rows as there are outputs, <paramref name="rowBytes"/> apart: <paramref name="a"/> has bytes 0 … 3
    /// of them all, <paramref name="b"/> bytes 4 … 7, and so on.
    /// </summary>
    static abstract void Transpose(byte* from, long rowBytes, out V a, out V b, out V c, out V d);

    /// <summary>The first four bytes of each row; reads sixteen.</summary>
    static abstract V Heads(byte* from, long rowBytes);

    /// <summary>The low 4 bits of every byte.</summary>
    static abstract V LowNibbles(V bytes);

    /// <summary>The high 4 bits of every byte.</summary>
    static abstract V HighNibbles(V bytes);

    /// <summary>Signed bytes plus 128, unsigned.</summary>
    static abstract V Unsign(V bytes);

    /// <summary>
    /// Adds the products of 4-bit codes, one a byte, and signed bytes of −127 … 127 to sums, which may be pairs of 16 bits and hold
    /// eight additions: 8 · 2 · 15 · 127 = 30,480.
    /// </summary>
    static abstract V AddProducts(V sums, V codes, V x);

    /// <summary>The sum of each output.</summary>
    static abstract F Total(V sums);

    /// <summary>The float16 in the lower half of each output's bytes; exact for finite values.</summary>
    static abstract F LowHalf(V bytes);

    /// <summary>The float16 in the upper half of each output's bytes; exact for finite values.</summary>
    static abstract F HighHalf(V bytes);

    /// <summary>Integral floats of −128 … 127 as bytes.</summary>
    static abstract void StoreInt8(sbyte* to, F values);
}
