namespace LServe.Cpu;

/// <summary>y = x / sqrt(mean(x²) + epsilon) · gain (Zhang and Sennrich, arXiv 1910.07467).</summary>
internal static class ReferenceRmsNorm
{
    public static void Row(ReadOnlySpan<float> x, ReadOnlySpan<float> gain, float epsilon, Span<float> y)
    {
        var squares = 0.0;
        foreach (var value in x) squares += (double)value * value;
        var scale = 1 / Math.Sqrt(squares / x.Length + epsilon);
        for (var i = 0; i < x.Length; i++) y[i] = (float)(x[i] * scale * gain[i]);
    }
}
