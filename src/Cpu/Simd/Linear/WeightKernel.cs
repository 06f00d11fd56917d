using LServe.Model;

namespace LServe.Cpu;

/// <summary>The kernels of one tensor type at one width, chosen once per matrix part.</summary>
internal abstract unsafe class WeightKernel
{
    /// <summary>What multiplies rows of x in 8 bits; null: x stays as it is.</summary>
    public Int8Kernel? Int8 { get; set; }

    /// <summary>Writes <paramref name="columns"/> weights of one row as floats.</summary>
    public abstract void Dequantise(byte* row, int columns, float* to);

    /// <summary>Whether <see cref="OneRow"/> and <see cref="FewRows"/> exist for rows of this many columns.</summary>
    public abstract bool ReadsStored(int columns);

    /// <summary>One row of x against four rows of weights as stored; <paramref name="sums"/>: [4 outputs].</summary>
    public abstract void OneRow(float* x, byte* w, long rowBytes, int columns, float* sums);

    /// <summary>One to four rows of x against four rows of weights as stored; <paramref name="sums"/>: [4 outputs, 4 rows], those of missing rows undefined.</summary>
    public abstract void FewRows(float* x, long xStride, int rows, byte* w, long rowBytes, int columns, float* sums);

    public static WeightKernel Create<L, F>(TensorType type) where L : ILanes<F> where F : struct => type switch
    {
        TensorType.F32 => new FormatKernel<L, F, F32Format>(type),
        TensorType.F16 => new FormatKernel<L, F, F16Format>(type),
        TensorType.BF16 => new FormatKernel<L, F, BF16Format>(type),
        TensorType.Q8_0 => new FormatKernel<L, F, Q8_0Format>(type),
        TensorType.Q4_0 => new FormatKernel<L, F, Q4_0Format>(type),
        TensorType.Q4_1 => new FormatKernel<L, F, Q4_1Format>(type),
        _ => new AnyTypeKernel(type),
    };
}

/// <summary>For types with a format of their own. Rows that are no whole number of blocks are read by <see cref="TensorFormat"/>.</summary>
internal sealed unsafe class FormatKernel<L, F, TFormat>(TensorType type) : WeightKernel
    where L : ILanes<F>
    where F : struct
    where TFormat : IWeightFormat
{
    private readonly AnyTypeKernel _ragged = new(type);

    public override bool ReadsStored(int columns) => columns % IWeightFormat.Values == 0;

    public override void Dequantise(byte* row, int columns, float* to)
    {
        if (ReadsStored(columns)) VectorKernel<L, F, TFormat>.Dequantise(row, columns / IWeightFormat.Values, HalfBits.Table, to);
        else _ragged.Dequantise(row, columns, to);
    }

    public override void OneRow(float* x, byte* w, long rowBytes, int columns, float* sums) =>
        VectorKernel<L, F, TFormat>.Four(x, w, rowBytes, columns / IWeightFormat.Values, HalfBits.Table, sums);

    public override void FewRows(float* x, long xStride, int rows, byte* w, long rowBytes, int columns, float* sums)
    {
        float* x1 = x + Math.Min(1, rows - 1) * xStride, x2 = x + Math.Min(2, rows - 1) * xStride, x3 = x + (rows - 1) * xStride;
        var blocks = columns / IWeightFormat.Values;
        VectorKernel<L, F, TFormat>.TwoByFour(x, x1, x2, x3, w, rowBytes, blocks, HalfBits.Table, sums);
        VectorKernel<L, F, TFormat>.TwoByFour(x, x1, x2, x3, w + 2 * rowBytes, rowBytes, blocks, HalfBits.Table, sums + 8);
    }
}

/// <summary>For every other type: rows become floats through <see cref="TensorFormat"/>, a tile at a time.</summary>
internal sealed unsafe class AnyTypeKernel(TensorType type) : WeightKernel
{
    public override bool ReadsStored(int columns) => false;

    public override void Dequantise(byte* row, int columns, float* to) =>
        TensorFormat.Dequantise(type, new ReadOnlySpan<byte>(row, checked((int)TensorFormat.RowBytes(type, columns))), new Span<float>(to, columns));

    public override void OneRow(float* x, byte* w, long rowBytes, int columns, float* sums) => throw Missing();

    public override void FewRows(float* x, long xStride, int rows, byte* w, long rowBytes, int columns, float* sums) => throw Missing();

    private NotSupportedException Missing() => new($"{type} has no kernel for weights as stored.");
}
