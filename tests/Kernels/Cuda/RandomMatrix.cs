using System.Runtime.InteropServices;
using LServe.Cuda.Launch;
using LServe.Model;

namespace LServe.Tests.Kernels.Cuda;

/// <summary>Random weights in a packed format, and the values they stand for.</summary>
internal sealed unsafe class RandomMatrix
{
    private RandomMatrix(WeightFormat format, int rows, int columns, byte[] packed, float[] values, float[]? rowScale, float[] bias) =>
        (Format, Rows, Columns, Packed, Values, RowScale, Bias) = (format, rows, columns, packed, values, rowScale, bias);

    public WeightFormat Format { get; }
    public int Rows { get; }
    public int Columns { get; }
    public byte[] Packed { get; }

    /// <summary>[Rows, Columns] without the row's scale.</summary>
    public float[] Values { get; }
    public float[]? RowScale { get; }
    public float[] Bias { get; }

    public static RandomMatrix Create(WeightFormat format, int rows, int columns, int seed)
    {
        var random = new Random(seed);
        var bias = global::LServe.Tests.Kernels.Cuda.Values.WithOutliers(random, rows);
        return format is WeightFormat.Int8 or WeightFormat.Int4 ? FromCodes(format, rows, columns, random, bias) : FromFile(format, rows, columns, random, bias);
    }

    public PackedMatrix Load(bool withBias) => new(Format, Rows, Columns, Gpu.Upload<byte>(Packed),
        withBias ? Gpu.Upload<float>(Bias) : null, RowScale is null ? null : Gpu.Upload<float>(RowScale));

    /// <summary>x · wᵀ (+ bias) in float64.</summary>
    public double[] Multiply(ReadOnlySpan<Half> x, int count, bool withBias)
    {
        var y = new double[count * Rows];
        var values = Cuda.Values.ToFloat(x);
        Parallel.For(0, Rows, n =>
        {
            for (var r = 0; r < count; r++)
            {
                double sum = 0;
                for (var k = 0; k < Columns; k++) sum += (double)values[r * Columns + k] * Values[n * Columns + k];
                y[r * Rows + n] = sum * (RowScale?[n] ?? 1) + (withBias ? Bias[n] : 0);
            }
        });
        return y;
    }

    private static RandomMatrix FromFile(WeightFormat format, int rows, int columns, Random random, float[] bias)
    {
        var type = format switch { WeightFormat.Q8_0 => TensorType.Q8_0, WeightFormat.Q4_0 => TensorType.Q4_0, WeightFormat.Q4_1 => TensorType.Q4_1, _ => TensorType.F16 };
        var rowBytes = (int)TensorFormat.RowBytes(type, columns);
        var file = new byte[rows * rowBytes];
        random.NextBytes(file);
        var block = TensorFormat.BlockBytes(type);
        var scales = format == WeightFormat.Q4_1 ? 2 : 1;
        for (var at = 0; at < file.Length; at += block)
            for (var s = 0; s < (format == WeightFormat.F16 ? 1 : scales); s++)
                MemoryMarshal.Write(file.AsSpan(at + 2 * s), (Half)((random.NextSingle() - 0.5f) / 8));
        var values = new float[rows * columns];
        var packed = new byte[0];
        fixed (byte* bytes = file)
        {
            var tensor = new Tensor("random", type, rows, columns, bytes, file.Length);
            for (var r = 0; r < rows; r++) TensorFormat.Dequantise(type, tensor.Row(r), values.AsSpan(r * columns, columns));
            packed = WeightPacker.Pack(format, [tensor]);
        }
        return new(format, rows, columns, packed, values, null, bias);
    }

    private static RandomMatrix FromCodes(WeightFormat format, int rows, int columns, Random random, float[] bias)
    {
        var packed = new byte[format.Bytes(rows, columns)];
        var values = new float[rows * columns];
        var rowScale = format == WeightFormat.Int8 ? Enumerable.Range(0, rows).Select(_ => random.NextSingle() / 64).ToArray() : null;
        var units = columns / format.UnitColumns();
        for (var n = 0; n < rows; n++)
            for (var u = 0; u < units; u++)
            {
                var unit = packed.AsSpan((n / 16 * units + u) * format.UnitBytes(), format.UnitBytes());
                var scale = format == WeightFormat.Int4 ? (float)(Half)(random.NextSingle() / 16) : 1;
                if (format == WeightFormat.Int4) MemoryMarshal.Write(unit[(1024 + (n % 8 * 2 + n % 16 / 8) * 2)..], (Half)scale);
                for (var k = 0; k < format.UnitColumns(); k++)
                    values[n * columns + u * format.UnitColumns() + k] = scale * SetCode(format, unit, n % 16, k, random);
            }
        return new(format, rows, columns, packed, values, rowScale, bias);
    }

    private static int SetCode(WeightFormat format, Span<byte> unit, int r, int k, Random random)
    {
        var lane = 4 * (r % 8) + k % 32 / 8;
        if (format == WeightFormat.Int8)
        {
            var code = random.Next(-127, 128);
            unit[lane * 16 + r / 8 * 8 + k % 8] = (byte)(code + 128);
            return code;
        }
        var value = random.Next(16);
        var nibble = k % 8 / 2 + 4 * (k % 2);
        unit[k / 32 * 256 + (lane * 2 + r / 8) * 4 + nibble / 2] |= (byte)(value << (4 * (nibble % 2)));
        return value - 8;
    }
}
