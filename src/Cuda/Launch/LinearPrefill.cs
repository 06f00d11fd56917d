using LServe.Cuda.Driver;
using LServe.Cuda.Jit;

namespace LServe.Cuda.Launch;

/// <summary>Launches <c>kernels/linear/prefill.cu</c>: products of any number of rows.</summary>
internal sealed class LinearPrefill : IKernelFamily
{
    private const int Threads = 384, BlockTiles = 8, ChunkColumns = 64, MaxStages = 8, Alignment = 1024;

    /// <summary>Shared memory of a block on Hopper less the kernel's barriers.</summary>
    private const int SharedLimit = 227 * 1024 - 256;

    /// <summary>How much longer a tile of 128 rows takes than half of one of 256.</summary>
    private const double SmallTileCost = 1.15;

    private readonly CudaKernel?[] _kernels = new CudaKernel?[2 * WeightFormats.All.Count];
    private readonly KernelLibrary _library;

    public LinearPrefill(KernelLibrary library) => _library = library;

    public static IReadOnlyList<KernelVariant> Variants { get; } = [.. WeightFormats.All.SelectMany(VariantsOf)];

    /// <summary>What a model with weights of <paramref name="format"/> needs.</summary>
    public static IEnumerable<KernelVariant> VariantsOf(WeightFormat format) =>
        format.HasScales() ? [Variant(format, 128)] : [Variant(format, 128), Variant(format, 256)];

    /// <param name="parameters">With rows of x in the order of <c>kernels/include/lserve/operand_order.cuh</c>.</param>
    public void Launch(CudaStream stream, WeightFormat format, in LinearParams parameters)
    {
        var blocks = (parameters.Outputs + BlockTiles * WeightFormats.TileRows - 1) / (BlockTiles * WeightFormats.TileRows);
        var multiprocessors = _library.Context.Multiprocessors;
        var rows = TileRows(format, blocks, parameters.Rows, multiprocessors);
        var kernel = _kernels[2 * (int)format + rows / 256] ??= _library.Kernel(Variant(format, rows), "linear_prefill", SharedBytes(format, rows));
        var tiles = blocks * ((parameters.Rows + rows - 1) / rows);
        var map = TensorMap.OfHalves(parameters.X, parameters.Rows, parameters.Columns, rows, ChunkColumns);
        kernel.Launch(stream, new(Math.Min(tiles, multiprocessors), Threads, SharedBytes: SharedBytes(format, rows), OverlapPrevious: true),
            new LinearPrefillParams { XMap = map, Product = parameters });
    }

    /// <summary>Rows of a tile: 256, or 128 where codes have scales or the larger ones would leave multiprocessors idle.</summary>
    internal static int TileRows(WeightFormat format, int outputBlocks, int rows, int multiprocessors)
    {
        double Rounds(int tile) => Math.Ceiling(outputBlocks * Math.Ceiling((double)rows / tile) / multiprocessors);
        return format.HasScales() || SmallTileCost * Rounds(128) < 2 * Rounds(256) ? 128 : 256;
    }

    private static KernelVariant Variant(WeightFormat format, int rows) => new("linear/prefill.cu", format.Define(), $"ROWS={rows}", $"STAGES={Stages(format, rows)}");

    private static int Stages(WeightFormat format, int rows) => Math.Min(MaxStages, (SharedLimit - Alignment) / StepBytes(format, rows));

    private static int SharedBytes(WeightFormat format, int rows) => Alignment + Stages(format, rows) * StepBytes(format, rows);

    private static int StepBytes(WeightFormat format, int rows)
    {
        var step = Math.Max(ChunkColumns, format.UnitColumns());
        return BlockTiles * (step / format.UnitColumns()) * format.UnitBytes() + rows * step * 2;
    }
}
