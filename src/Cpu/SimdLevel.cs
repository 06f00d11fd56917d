using System.Runtime.Intrinsics;

namespace LServe.Cpu;

/// <summary>Width of the vectors that kernels compute with, widest first. Each level rounds in its own way and gives its own bits.</summary>
public enum SimdLevel
{
    /// <summary>16 floats: AVX-512.</summary>
    Vector512,

    /// <summary>8 floats: AVX2.</summary>
    Vector256,

    /// <summary>4 floats: Arm's Advanced SIMD, SSE.</summary>
    Vector128,

    /// <summary>1 float.</summary>
    Scalar,
}

/// <summary>Facts about levels.</summary>
public static class SimdLevels
{
    /// <summary>The widest level this machine computes in hardware.</summary>
    public static SimdLevel Widest { get; } =
        Vector512.IsHardwareAccelerated ? SimdLevel.Vector512
        : Vector256.IsHardwareAccelerated ? SimdLevel.Vector256
        : Vector128.IsHardwareAccelerated ? SimdLevel.Vector128
        : SimdLevel.Scalar;

    /// <summary>Floats of one vector.</summary>
    public static int Width(this SimdLevel level) => level switch
    {
        SimdLevel.Vector512 => 16,
        SimdLevel.Vector256 => 8,
        SimdLevel.Vector128 => 4,
        SimdLevel.Scalar => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(level)),
    };

    /// <summary>The widest level, no wider than this one, whose vectors divide <paramref name="channels"/>.</summary>
    public static SimdLevel Dividing(this SimdLevel level, int channels)
    {
        while (channels % level.Width() != 0) level++;
        return level;
    }
}
