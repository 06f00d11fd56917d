using System.Runtime.Intrinsics;

namespace LServe.Cpu;

/// <summary>
/// y = x · wᵀ (+ bias), or y += …. Units are runs of output tiles, times blocks of rows when there are many. One row is multiplied
/// with the weights in their stored form; several share a tile that becomes floats once. Both give the same bits (see <see cref="TileKernel{L,F}"/>).
/// Where the weights' kernel wants x in 8 bits, its rows are rounded first, all of them once.
/// </summary>
internal abstract unsafe class LinearWork(int threads, QuantisedRows quantised) : ParallelWork, IDisposable
{
    /// <summary>Units per thread: enough to even out threads of unequal speed, few enough that claiming them costs nothing.</summary>
    private const int UnitsPerThread = 6;

    /// <summary>
    /// As <see cref="UnitsPerThread"/> where weights are read as stored, as fast as memory gives them: the first bytes of every unit are waited for.
    /// </summary>
    private const int StoredUnitsPerThread = 3;

    /// <summary>Rows: up to here weights are read as stored, four rows of x at a time.</summary>
    protected const int StoredRows = 8;

    /// <summary>Rows of a block, a multiple of the six or four of a kernel call.</summary>
    private const int RowsOfBlock = 96;

    protected readonly ThreadScratch Scratch = new(threads);
    protected readonly QuantisedRows Quantised = quantised;
    protected SimdMatrix Weights = null!;
    protected float* X, Y;
    protected long XStride, YStride;
    protected bool Add;
    private int _rows, _tilesPerUnit, _rowBlocks, _rowsPerBlock;

    /// <summary>Makes room for the tiles of a matrix.</summary>
    public void Reserve(SimdMatrix weights)
    {
        var floats = (long)SimdMatrix.TileOutputs * PaddedColumns(weights.Columns);
        for (var tile = 0; tile < weights.Tiles; tile++)
            if (weights[tile].Kernel.Int8 is { } int8) floats = Math.Max(floats, int8.ScratchBytes(weights.Columns) / sizeof(float));
        Scratch.Reserve(floats);
    }

    public void Run(WorkerPool pool, float* x, long xStride, int rows, SimdMatrix weights, float* y, long yStride, bool add)
    {
        X = x;
        Y = y;
        (XStride, YStride, Weights, Add, _rows) = (xStride, yStride, weights, add, rows);
        if (weights.ReadsInt8) Quantised.Read(pool, x, xStride, rows, weights.Columns);
        var wanted = pool.Threads * (rows <= StoredRows ? StoredUnitsPerThread : UnitsPerThread);
        _tilesPerUnit = Math.Max(1, weights.Tiles / wanted);
        var tileUnits = (weights.Tiles + _tilesPerUnit - 1) / _tilesPerUnit;
        _rowBlocks = tileUnits >= wanted / 2 ? 1 : Math.Clamp(wanted / tileUnits, 1, (rows + RowsOfBlock - 1) / RowsOfBlock);
        _rowsPerBlock = ((rows + _rowBlocks - 1) / _rowBlocks + 11) / 12 * 12;
        pool.Run(this, tileUnits * _rowBlocks);
    }

    public sealed override void Execute(int unit, int thread)
    {
        var (run, block) = Math.DivRem(unit, _rowBlocks);
        var firstRow = block * _rowsPerBlock;
        var rows = Math.Min(_rowsPerBlock, _rows - firstRow);
        if (rows <= 0) return;
        var end = Math.Min(Weights.Tiles, (run + 1) * _tilesPerUnit);
        for (var tile = run * _tilesPerUnit; tile < end; tile++) Multiply(Weights[tile], firstRow, rows, Scratch.Of(thread));
    }

    protected abstract void Multiply(in SimdMatrix.Tile tile, int firstRow, int rows, float* scratch);

    protected static int PaddedColumns(int columns) => (columns + 15) / 16 * 16;

    public void Dispose()
    {
        Scratch.Dispose();
        Quantised.Dispose();
    }
}

/// <inheritdoc/>
internal sealed unsafe class LinearWork<L, F>(int threads, QuantisedRows quantised) : LinearWork(threads, quantised)
    where L : ILanes<F>
    where F : struct
{
    /// <summary>
    /// Rows: up to here four rows of weights at a time become floats, in the first-level cache, and meet all rows of x. Beyond, a whole
    /// tile does, in the second level, and passes by six rows of x at a time, which then stay in the first.
    /// </summary>
    private const int FewRows = 24;

    protected override void Multiply(in SimdMatrix.Tile tile, int firstRow, int rows, float* scratch)
    {
        fixed (float* bias = Weights.Bias)
        {
            if (Weights.ReadsInt8 && tile.Kernel.Int8 is { } int8)
            {
                var target = new OutputTile(Y + tile.Output, YStride, tile.Outputs, bias == null ? null : bias + tile.Output, Add);
                int8.Multiply(Quantised, firstRow, rows, (byte*)tile.Weights, tile.RowBytes, tile.Outputs, target, (byte*)scratch);
                return;
            }
            var stored = rows <= StoredRows && tile.Outputs % 4 == 0 && tile.Kernel.ReadsStored(Weights.Columns);
            if (!stored) MultiplyMany(tile, firstRow, rows, bias, scratch);
            else if (rows == 1) MultiplyOne(tile, firstRow, bias);
            else MultiplyFew(tile, firstRow, rows, bias);
        }
    }

    private void MultiplyOne(in SimdMatrix.Tile tile, int row, float* bias)
    {
        var x = X + row * XStride;
        var sums = stackalloc float[4];
        for (var i = 0; i < tile.Outputs; i += 4)
        {
            tile.Kernel.OneRow(x, (byte*)tile.Weights + i * tile.RowBytes, tile.RowBytes, Weights.Columns, sums);
            TargetOf(tile, row, i, bias).Write(0, Vector128.Load(sums));
        }
    }

    private void MultiplyFew(in SimdMatrix.Tile tile, int firstRow, int rows, float* bias)
    {
        var sums = stackalloc float[16];
        for (var i = 0; i < tile.Outputs; i += 4)
        {
            for (var done = 0; done < rows; done += 4)
            {
                var (row, count) = (firstRow + done, Math.Min(4, rows - done));
                tile.Kernel.FewRows(X + row * XStride, XStride, count, (byte*)tile.Weights + i * tile.RowBytes, tile.RowBytes, Weights.Columns, sums);
                var target = TargetOf(tile, row, i, bias);
                for (var r = 0; r < count; r++) target.Write(r, Vector128.Create(sums[r], sums[4 + r], sums[8 + r], sums[12 + r]));
            }
        }
    }

    private void MultiplyMany(in SimdMatrix.Tile tile, int firstRow, int rows, float* bias, float* scratch)
    {
        var padded = PaddedColumns(Weights.Columns);
        var group = rows <= FewRows ? 4 : SimdMatrix.TileOutputs;
        for (var first = 0; first < tile.Outputs; first += group)
        {
            var outputs = Math.Min(group, tile.Outputs - first);
            Dequantise(tile, first, outputs, padded, scratch);
            for (var done = 0; done < rows; done += 6)
            {
                var (row, count) = (firstRow + done, Math.Min(6, rows - done));
                for (var i = 0; i < outputs; i += 4)
                    TileKernel<L, F>.Run(
                        X + row * XStride, XStride, count, scratch + (long)i * padded, padded, padded, TargetOf(tile, row, first + i, bias));
            }
        }
    }

    /// <summary>Rows of weights as floats, padded with zeros to whole vectors and to four rows.</summary>
    private void Dequantise(in SimdMatrix.Tile tile, int first, int outputs, int padded, float* to)
    {
        for (var i = 0; i < (outputs + 3) / 4 * 4; i++, to += padded)
        {
            var written = i < outputs ? Weights.Columns : 0;
            if (written > 0) tile.Kernel.Dequantise((byte*)tile.Weights + (first + i) * tile.RowBytes, written, to);
            if (written < padded) new Span<float>(to + written, padded - written).Clear();
        }
    }

    private Target TargetOf(in SimdMatrix.Tile tile, int row, int output, float* bias) => new(
        Y + row * YStride + tile.Output + output, YStride, Math.Min(4, tile.Outputs - output), bias == null ? null : bias + tile.Output + output, Add);
}
