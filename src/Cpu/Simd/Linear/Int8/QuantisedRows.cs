using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LServe.Cpu;

/// <summary>
/// Rows of x in 8 bits, blocks of <see cref="Block"/>: scale = largest magnitude ÷ 127, codes to nearest, ties to even. Grows to the
/// most that a step asks for and then stays.
/// </summary>
internal abstract unsafe class QuantisedRows : ParallelWork, IDisposable
{
    public const int Block = 32;

    /// <summary>A block whose values are all smaller counts as zero: the reciprocal of its scale might be infinite.</summary>
    protected const float Smallest = 1e-30f;

    protected float* X;
    protected long XStride;
    private sbyte* _codes;
    private float* _scales;
    private long _blocksOfRoom;

    /// <summary>Blocks of a row.</summary>
    public int Blocks { get; private set; }

    /// <summary>The signed bytes of a row.</summary>
    public sbyte* Codes(int row) => _codes + (long)row * Blocks * Block;

    /// <summary>Two floats for each of a row's blocks: its scale, and its scale times the sum of its codes.</summary>
    public float* Scales(int row) => _scales + (long)row * Blocks * 2;

    /// <summary>Reads rows of a multiple of <see cref="Block"/> columns.</summary>
    public void Read(WorkerPool pool, float* x, long xStride, int rows, int columns)
    {
        X = x;
        (XStride, Blocks) = (xStride, columns / Block);
        Reserve((long)rows * Blocks);
        if (rows >= SimdKernels.RowsWorthSharing) pool.Run(this, rows);
        else
            for (var row = 0; row < rows; row++) Execute(row, 0);
    }

    private void Reserve(long blocks)
    {
        if (blocks <= _blocksOfRoom) return;
        Dispose();
        _codes = (sbyte*)NativeMemory.AlignedAlloc((nuint)blocks * Block, 64);
        _scales = (float*)NativeMemory.AlignedAlloc((nuint)blocks * 2 * sizeof(float), 64);
        _blocksOfRoom = blocks;
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_codes);
        NativeMemory.AlignedFree(_scales);
        _codes = null;
        _scales = null;
        _blocksOfRoom = 0;
    }
}

/// <inheritdoc/>
internal sealed unsafe class QuantisedRows<L, F, D, V> : QuantisedRows
    where L : ILanes<F>
    where F : struct
    where D : ICodeLanes<V, F>
    where V : struct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Execute(int unit, int thread)
    {
        var x = X + unit * XStride;
        var codes = Codes(unit);
        var scales = Scales(unit);
        for (var block = 0; block < Blocks; block++, x += Block, codes += Block, scales += 2)
        {
            var largest = L.Fill(0);
            for (var i = 0; i < Block; i += L.Width)
            {
                var values = L.Load(x + i);
                largest = L.Max(largest, L.Max(values, L.Subtract(L.Fill(0), values)));
            }
            var magnitude = L.Largest(largest);
            var inverse = L.Fill(magnitude < Smallest ? 0 : 127 / magnitude);
            var sum = L.Fill(0);
            for (var i = 0; i < Block; i += L.Width)
            {
                var rounded = L.Round(L.Multiply(L.Load(x + i), inverse));
                sum = L.Add(sum, rounded);
                D.StoreInt8(codes + i, rounded);
            }
            scales[0] = magnitude / 127;
            scales[1] = scales[0] * L.Sum(sum);
        }
    }
}
