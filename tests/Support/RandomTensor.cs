using System.Buffers.Binary;
using LServe.Model;

namespace LServe.Tests.Support;

/// <summary>Random weights in any tensor type: values around zero of a given standard deviation, every bit pattern possible.</summary>
public static class RandomTensor
{
    /// <summary>
    /// Where a block keeps its float16 scale and minimum, and how large the minimum is against the scale for a mean of zero.
    /// </summary>
    private readonly record struct BlockScales(int Scale, int Minimum = -1, float MinimumRatio = 0);

    /// <param name="outliers">Whether the first two channels of a row are four times as large, as in real models; float types only.</param>
    public static byte[] Bytes(Random random, TensorType type, int rows, int columns, float deviation, bool outliers = true)
    {
        var data = new byte[rows * TensorFormat.RowBytes(type, columns)];
        if (TensorFormat.BlockValues(type) == 1) FillFloats(random, type, data, columns, deviation, outliers);
        else FillBlocks(random, type, data, deviation);
        return data;
    }

    public static float Gaussian(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));

    private static void FillFloats(Random random, TensorType type, byte[] data, int columns, float deviation, bool outliers)
    {
        var size = TensorFormat.BlockBytes(type);
        for (var i = 0; i < data.Length / size; i++)
        {
            var value = Gaussian(random) * deviation * (outliers && i % columns < 2 ? 4 : 1);
            var target = data.AsSpan(i * size);
            if (type == TensorType.F32) BinaryPrimitives.WriteSingleLittleEndian(target, value);
            else if (type == TensorType.F16) BinaryPrimitives.WriteHalfLittleEndian(target, (Half)value);
            else BinaryPrimitives.WriteUInt16LittleEndian(target, (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16));
        }
    }

    private static void FillBlocks(Random random, TensorType type, byte[] data, float deviation)
    {
        random.NextBytes(data);
        var scale = deviation / UnitDeviation(random, type);
        for (var block = 0; block < data.Length; block += TensorFormat.BlockBytes(type)) SetScale(type, data.AsSpan(block), scale);
    }

    /// <summary>The standard deviation of random blocks with a scale of one.</summary>
    private static float UnitDeviation(Random random, TensorType type)
    {
        const int blocks = 64;
        var values = new float[blocks * TensorFormat.BlockValues(type)];
        var data = new byte[blocks * TensorFormat.BlockBytes(type)];
        random.NextBytes(data);
        for (var block = 0; block < data.Length; block += TensorFormat.BlockBytes(type)) SetScale(type, data.AsSpan(block), 1);
        TensorFormat.Dequantise(type, data, values);
        var mean = values.Average();
        return MathF.Sqrt(values.Average(v => (v - mean) * (v - mean)));
    }

    private static void SetScale(TensorType type, Span<byte> block, float scale)
    {
        var places = Places(type);
        BinaryPrimitives.WriteHalfLittleEndian(block[places.Scale..], (Half)scale);
        if (places.Minimum >= 0) BinaryPrimitives.WriteHalfLittleEndian(block[places.Minimum..], (Half)(scale * places.MinimumRatio));
    }

    private static BlockScales Places(TensorType type) => type switch
    {
        TensorType.Q4_1 => new(0, 2, -7.5f),
        TensorType.Q5_1 => new(0, 2, -15.5f),
        TensorType.Q2_K => new(80, 82, 1.5f),
        TensorType.Q3_K => new(108),
        TensorType.Q4_K => new(0, 2, 7.5f),
        TensorType.Q5_K => new(0, 2, 15.5f),
        TensorType.Q6_K => new(208),
        _ => new(0),
    };
}
