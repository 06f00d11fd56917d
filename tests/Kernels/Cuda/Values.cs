namespace LServe.Tests.Kernels.Cuda;

/// <summary>Inputs like those of real layers, and the measure of a result.</summary>
internal static class Values
{
    /// <summary>The order of <c>kernels/include/lserve/operand_order.cuh</c>.</summary>
    public static T[] Transposed<T>(ReadOnlySpan<T> x)
    {
        var y = new T[x.Length];
        for (var i = 0; i < y.Length; i++) y[i / 32 * 32 + (i / 2 % 4 * 4 + i / 8 % 4) * 2 + i % 2] = x[i];
        return y;
    }

    /// <summary>Normally distributed, one in a hundred twenty times as large.</summary>
    public static float[] WithOutliers(Random random, int count, float scale = 1)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++)
        {
            var normal = MathF.Sqrt(-2 * MathF.Log(1 - random.NextSingle())) * MathF.Cos(2 * MathF.PI * random.NextSingle());
            values[i] = normal * scale * (random.Next(100) == 0 ? 20 : 1);
        }
        return values;
    }

    public static Half[] ToHalf(ReadOnlySpan<float> values)
    {
        var halves = new Half[values.Length];
        for (var i = 0; i < halves.Length; i++) halves[i] = (Half)values[i];
        return halves;
    }

    /// <summary>‖actual − expected‖ ÷ ‖expected‖; NaN when any element is.</summary>
    public static double RelativeError(ReadOnlySpan<float> actual, ReadOnlySpan<double> expected)
    {
        Assert.Equal(expected.Length, actual.Length);
        double difference = 0, norm = 0;
        for (var i = 0; i < actual.Length; i++)
        {
            difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
            norm += expected[i] * expected[i];
        }
        return Math.Sqrt(difference / norm);
    }

    /// <summary>NaN never passes.</summary>
    public static void AssertClose(ReadOnlySpan<float> actual, ReadOnlySpan<double> expected, double tolerance)
    {
        var error = RelativeError(actual, expected);
        Assert.True(error <= tolerance, $"relative error {error:g3}, allowed {tolerance:g3}");
    }

    public static float[] ToFloat(ReadOnlySpan<Half> values)
    {
        var floats = new float[values.Length];
        for (var i = 0; i < floats.Length; i++) floats[i] = (float)values[i];
        return floats;
    }
}
