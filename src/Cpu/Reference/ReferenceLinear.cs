using LServe.Model;

namespace LServe.Cpu;

/// <summary>One column of y = x · wᵀ + bias: a row of weights, dequantised once, against all rows of x.</summary>
internal static class ReferenceLinear
{
    [ThreadStatic] private static float[]? _weights;

    public static void Output(HostBuffer x, HostMatrix w, int output, int rows, bool add, HostBuffer y)
    {
        if (_weights is null || _weights.Length < w.Columns) _weights = new float[w.Columns];
        var weights = _weights.AsSpan(0, w.Columns);
        var (part, partRow) = w.Locate(output);
        TensorFormat.Dequantise(part.Type, part.Row(partRow), weights);
        var bias = w.Bias is null ? 0 : w.Bias[output];
        for (var row = 0; row < rows; row++)
        {
            var sum = Dot(x.Values(row), weights) + bias;
            y.Values(row)[output] = (float)(add ? y.Values(row)[output] + sum : sum);
        }
    }

    /// <summary>Four sums instead of one, because each waits for its last addition.</summary>
    private static double Dot(ReadOnlySpan<float> x, ReadOnlySpan<float> w)
    {
        double a = 0, b = 0, c = 0, d = 0;
        for (; w.Length >= 4 && x.Length >= 4; x = x[4..], w = w[4..])
        {
            a += (double)x[0] * w[0];
            b += (double)x[1] * w[1];
            c += (double)x[2] * w[2];
            d += (double)x[3] * w[3];
        }
        for (var i = 0; i < w.Length; i++) a += (double)x[i] * w[i];
        return a + b + (c + d);
    }
}
