using LServe.Model;

namespace LServe.Tests.Kernels.Cpu;

/// <summary>Matrix products with 8-bit activations, written down: blocks of 32, scale = largest magnitude ÷ 127, exact sums.</summary>
internal static class Int8Reference
{
    private const int Block = 32;

    /// <summary>x · wᵀ for one row.</summary>
    public static float[] Multiply(ReadOnlySpan<float> x, Tensor weights)
    {
        var rounded = Round(x);
        var row = new float[weights.Columns];
        var y = new float[weights.Rows];
        for (var output = 0; output < y.Length; output++)
        {
            TensorFormat.Dequantise(weights.Type, weights.Row(output), row);
            var sum = 0.0;
            for (var i = 0; i < row.Length; i++) sum += rounded[i] * row[i];
            y[output] = (float)sum;
        }
        return y;
    }

    /// <summary>What 8 bits leave of a row. The code's own float arithmetic, as a tie decided otherwise is a step of the code.</summary>
    private static double[] Round(ReadOnlySpan<float> x)
    {
        var rounded = new double[x.Length];
        for (var first = 0; first < x.Length; first += Block)
        {
            var largest = 0f;
            foreach (var value in x.Slice(first, Block)) largest = Math.Max(largest, Math.Abs(value));
            if (largest == 0) continue;
            var inverse = 127 / largest;
            for (var i = first; i < first + Block; i++) rounded[i] = (double)(largest / 127) * MathF.Round(x[i] * inverse);
        }
        return rounded;
    }
}
