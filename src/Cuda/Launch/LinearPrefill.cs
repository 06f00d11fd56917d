using LServe.Cuda.Driver;
using LServe.Cuda.Jit;

namespace LServe.Cuda.Launch;

/// <summary>Launches <c>kernels/linear/prefill.cu</c>: products of any number of rows.</summary>
internal sealed class LinearPrefill : IKernelFamily
{
    private const int Threads = 256, BlockTiles = 8, BlockRows = 128, StepColumns = 64, Stages = 3;

    private readonly CudaKernel?[] _kernels = new CudaKernel?[WeightFormats.All.Count];
    private readonly KernelLibrary _library;

    public LinearPrefill(KernelLibrary library) => _library = library;

    public static IReadOnlyList<KernelVariant> Variants { get; } = WeightFormats.All.Select(Variant).ToArray();

    public static KernelVariant Variant(WeightFormat format) => new("linear/prefill.cu", format.Define(), $"STAGES={Stages}");

    public void Launch(CudaStream stream, WeightFormat format, in LinearParams parameters)
    {
        var shared = SharedBytes(format);
        var kernel = _kernels[(int)format] ??= _library.Kernel(Variant(format), "linear_prefill", shared);
        var outputs = BlockTiles * WeightFormats.TileRows;
        kernel.Launch(stream,
            new((parameters.Outputs + outputs - 1) / outputs, Threads, (parameters.Rows + BlockRows - 1) / BlockRows, SharedBytes: shared, OverlapPrevious: true),
            parameters);
    }

    private static int SharedBytes(WeightFormat format)
    {
        var step = Math.Max(StepColumns, format.UnitColumns());
        return Stages * (BlockTiles * (step / format.UnitColumns()) * format.UnitBytes() + BlockRows * step * 2);
    }
}
