namespace LServe.Cpu;

/// <summary>
/// How <see cref="Values"/> weights that lie together become floats in registers. A type's block as its file stores it; types
/// without blocks count 32 values as one.
/// </summary>
internal unsafe interface IWeightFormat
{
    /// <summary>Weights of a block.</summary>
    const int Values = 32;

    static abstract int Bytes { get; }

    /// <summary>What <see cref="Load"/> needs of the block's head.</summary>
    static abstract void Open<L, F>(byte* block, float* halves, out F first, out F second)
        where L : ILanes<F> where F : struct;

    /// <summary>Weights <paramref name="at"/> … <paramref name="at"/> + L.Width − 1 of the block.</summary>
    static abstract F Load<L, F>(byte* block, int at, F first, F second)
        where L : ILanes<F> where F : struct;
}
