namespace LServe.Cpu;

/// <summary>
/// How blocks of 32 weights become 4-bit codes for <see cref="CodeKernel{L,F,D,V}"/>: w = scale · Σ 16ᵖ · plane p + minimum, planes
/// counted from the lowest. A packed block has, for each plane, the codes of inputs 4i … 4i + 3 of all outputs for i = 0 … 7, and a scale
/// per output; then a minimum per output.
/// </summary>
internal unsafe interface ICodeFormat
{
    /// <summary>Bytes of a block as its file stores it.</summary>
    static abstract int Bytes { get; }

    /// <summary>Codes of 4 bits in a weight: 1 or 2.</summary>
    static abstract int Planes { get; }

    /// <summary>Packs the blocks that begin at <paramref name="block"/> and, <paramref name="rowBytes"/> apart, in the rows after it.</summary>
    static abstract void Pack<L, F, D, V>(byte* block, long rowBytes, byte* to)
        where L : ILanes<F> where F : struct where D : ICodeLanes<V, F> where V : struct;
}
