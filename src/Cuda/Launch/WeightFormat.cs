using LServe.Model;

namespace LServe.Cuda.Launch;

/// <summary>How packed weights are stored: the numbers of <c>Format</c> in <c>kernels/include/lserve/weights.cuh</c>.</summary>
internal enum WeightFormat
{
    /// <summary>binary16. Takes every type that has no format of its own; values beyond ±65504 are refused.</summary>
    F16 = 0,

    /// <summary>GGUF's Q8_0: int8, a scale per 32.</summary>
    Q8_0 = 1,

    /// <summary>GGUF's Q4_0: 4 bits less 8, a scale per 32.</summary>
    Q4_0 = 2,

    /// <summary>GGUF's Q4_1: 4 bits, a scale and a minimum per 32.</summary>
    Q4_1 = 3,

    /// <summary>int8, a scale per output.</summary>
    Int8 = 4,

    /// <summary>4 bits less 8, a scale per 128.</summary>
    Int4 = 5,
}

internal static class WeightFormats
{
    /// <summary>Outputs of a tile.</summary>
    public const int TileRows = 16;

    public static IReadOnlyList<WeightFormat> All { get; } = Enum.GetValues<WeightFormat>();

    public static string Define(this WeightFormat format) => $"FORMAT={(int)format}";

    /// <summary>Inputs of a unit; a matrix's inputs are a multiple.</summary>
    public static int UnitColumns(this WeightFormat format) => format == WeightFormat.Int4 ? 128 : 32;

    /// <summary>Bytes of a unit of 16 outputs.</summary>
    public static int UnitBytes(this WeightFormat format) => format switch
    {
        WeightFormat.F16 => 1024,
        WeightFormat.Q8_0 => 544,
        WeightFormat.Q4_0 => 288,
        WeightFormat.Q4_1 => 320,
        WeightFormat.Int8 => 512,
        WeightFormat.Int4 => 1056,
        _ => throw new ArgumentOutOfRangeException(nameof(format)),
    };

    /// <summary>Whether codes have scales of their own, and not one of a whole row.</summary>
    public static bool HasScales(this WeightFormat format) => format is not (WeightFormat.F16 or WeightFormat.Int8);

    public static long Bytes(this WeightFormat format, int rows, int columns) =>
        (long)((rows + TileRows - 1) / TileRows) * (columns / format.UnitColumns()) * format.UnitBytes();

    /// <summary>The format that keeps a file's bits, or binary16.</summary>
    public static WeightFormat Of(TensorType type) => type switch
    {
        TensorType.Q8_0 => WeightFormat.Q8_0,
        TensorType.Q4_0 => WeightFormat.Q4_0,
        TensorType.Q4_1 => WeightFormat.Q4_1,
        _ => WeightFormat.F16,
    };
}
