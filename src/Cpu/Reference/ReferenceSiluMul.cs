namespace LServe.Cpu;

/// <summary>y = silu(gate) · up, silu(x) = x / (1 + e⁻ˣ) (SwiGLU: Shazeer, arXiv 2002.05202).</summary>
internal static class ReferenceSiluMul
{
    public static void Row(ReadOnlySpan<float> gateUp, Span<float> y)
    {
        var up = gateUp[y.Length..];
        for (var i = 0; i < y.Length; i++)
        {
            double gate = gateUp[i];
            y[i] = (float)(gate / (1 + Math.Exp(-gate)) * up[i]);
        }
    }
}
