using System.Runtime.CompilerServices;

namespace LServe.Cpu;

/// <summary>y = silu(gate) · up, with silu(x) = x / (1 + 2^(−x·log₂e)). A unit is a row.</summary>
internal abstract unsafe class SiluMulWork : ParallelWork
{
    protected const float Log2E = 1.44269504f;

    protected float* GateUp, Y;
    protected long GateUpStride, YStride;
    protected int Columns;

    public void Run(WorkerPool pool, HostBuffer gateUp, HostBuffer y, int rows)
    {
        GateUp = gateUp.Data;
        Y = y.Data;
        (GateUpStride, YStride, Columns) = (gateUp.Stride, y.Stride, y.Columns);
        if (rows >= SimdKernels.RowsWorthSharing) pool.Run(this, rows);
        else
            for (var row = 0; row < rows; row++) Execute(row, 0);
    }
}

/// <inheritdoc/>
internal sealed unsafe class SiluMulWork<L, F> : SiluMulWork
    where L : ILanes<F>
    where F : struct
{
    public override void Execute(int unit, int thread) => Row(GateUp + unit * GateUpStride, Columns, Y + unit * YStride);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row(float* gateUp, int columns, float* y)
    {
        var up = gateUp + columns;
        var i = 0;
        for (; i + L.Width <= columns; i += L.Width)
        {
            var gate = L.Load(gateUp + i);
            var power = Exponential<L, F>.PowerOfTwo(L.Multiply(gate, L.Fill(-Log2E)));
            L.Store(y + i, L.Multiply(L.Divide(gate, L.Add(L.Fill(1), power)), L.Load(up + i)));
        }
        for (; i < columns; i++)
            y[i] = gateUp[i] / (1 + Exponential<LanesScalar, float>.PowerOfTwo(gateUp[i] * -Log2E)) * up[i];
    }
}
