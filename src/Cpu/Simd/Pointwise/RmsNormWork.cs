using System.Runtime.CompilerServices;

namespace LServe.Cpu;

/// <summary>y = x / sqrt(mean(x²) + epsilon) · gain. A unit is a row; lane l adds the squares of channels l, l + W …, then the lanes fold.</summary>
internal abstract unsafe class RmsNormWork : ParallelWork
{
    protected float* X, Gain, Y;
    protected long XStride, YStride;
    protected int Columns;
    protected float Epsilon;

    public void Run(WorkerPool pool, HostBuffer x, float* gain, float epsilon, HostBuffer y, int rows)
    {
        X = x.Data;
        Y = y.Data;
        Gain = gain;
        (XStride, YStride, Columns, Epsilon) = (x.Stride, y.Stride, x.Columns, epsilon);
        if (rows >= SimdKernels.RowsWorthSharing) pool.Run(this, rows);
        else
            for (var row = 0; row < rows; row++) Execute(row, 0);
    }

    public override void Execute(int unit, int thread) => Row(X + unit * XStride, Gain, Columns, Epsilon, Y + unit * YStride);

    /// <summary><paramref name="y"/> may be <paramref name="x"/>.</summary>
    public abstract void Row(float* x, float* gain, int columns, float epsilon, float* y);
}

/// <inheritdoc/>
internal sealed unsafe class RmsNormWork<L, F> : RmsNormWork
    where L : ILanes<F>
    where F : struct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Row(float* x, float* gain, int columns, float epsilon, float* y)
    {
        var whole = columns - columns % L.Width;
        var lanes = L.Fill(0);
        for (var i = 0; i < whole; i += L.Width)
        {
            var values = L.Load(x + i);
            lanes = L.MultiplyAdd(values, values, lanes);
        }
        var squares = L.Sum(lanes);
        for (var i = whole; i < columns; i++) squares = MathF.FusedMultiplyAdd(x[i], x[i], squares);
        var scale = 1 / MathF.Sqrt(squares / columns + epsilon);
        for (var i = 0; i < whole; i += L.Width) L.Store(y + i, L.Multiply(L.Multiply(L.Load(x + i), L.Fill(scale)), L.Load(gain + i)));
        for (var i = whole; i < columns; i++) y[i] = x[i] * scale * gain[i];
    }
}
