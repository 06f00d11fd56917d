using LServe.Cuda.Driver;
using LServe.Cuda.Jit;

namespace LServe.Cuda.Launch;

/// <summary>Launches <c>kernels/linear/decode.cu</c>: products of 1 … <see cref="MaxRows"/> rows.</summary>
internal sealed class LinearDecode : IKernelFamily
{
    public const int MaxRows = 64;

    private const int Warps = 8, Threads = Warps * 32, BarrierBytes = 8;
    private static readonly int[] RowTiles = [1, 2, 4, 8];

    /// <summary>Most rows of each plan.</summary>
    private static readonly int[] Sizes = [1, 8, 16, 32, MaxRows];

    private readonly CudaKernel?[] _kernels = new CudaKernel?[WeightFormats.All.Count * Sizes.Length];
    private readonly Plan[] _plans = new Plan[WeightFormats.All.Count * Sizes.Length];
    private readonly KernelLibrary _library;

    private readonly int? _maxStages;

    /// <param name="maxStages">Slots of a warp's ring, at most; null: what measured best.</param>
    public LinearDecode(KernelLibrary library, int? maxStages = null) => (_library, _maxStages) = (library, maxStages);

    public static IReadOnlyList<KernelVariant> Variants { get; } = WeightFormats.All.SelectMany(VariantsOf).ToArray();

    /// <summary>What a model with weights of <paramref name="format"/> needs.</summary>
    public static IEnumerable<KernelVariant> VariantsOf(WeightFormat format) => RowTiles.Select(tiles => Variant(format, tiles));

    public void Launch(CudaStream stream, WeightFormat format, LinearParams parameters)
    {
        var (kernel, plan) = Choose(format, parameters.Rows);
        var tiles = (parameters.Outputs + WeightFormats.TileRows - 1) / WeightFormats.TileRows;
        parameters.Stages = plan.Stages;
        kernel.Launch(stream, new(Math.Min(tiles, plan.Blocks), Threads, SharedBytes: plan.SharedBytes, OverlapPrevious: true), parameters);
    }

    private (CudaKernel, Plan) Choose(WeightFormat format, int rows)
    {
        if (rows is < 1 or > MaxRows) throw new ArgumentOutOfRangeException(nameof(rows), rows, $"The decode kernel takes 1 to {MaxRows} rows.");
        var size = 0;
        while (rows > Sizes[size]) size++;
        var index = (int)format * Sizes.Length + size;
        if (_kernels[index] is null)
        {
            var tiles = (Sizes[size] + 7) / 8;
            var plan = Plan.For(format, tiles, _library.Context.MaxSharedBytes, _maxStages ?? BestStages(format, Sizes[size]));
            // One row and eight share a function, whose limit is set anew here: it must not fall below what the other asks for.
            var kernel = _library.Kernel(Variant(format, tiles), "linear_decode", Math.Max(plan.SharedBytes, _plans[(int)format * Sizes.Length].SharedBytes));
            _kernels[index] = kernel;
            _plans[index] = plan with { Blocks = _library.Context.Multiprocessors * kernel.BlocksPerMultiprocessor(Threads, plan.SharedBytes) };
        }
        return (_kernels[index]!, _plans[index]);
    }

    /// <summary>Shared memory beyond two slots is worth more as L1, for the activations; only the widest weights of a single row want all of it.</summary>
    private static int BestStages(WeightFormat format, int rows) => format == WeightFormat.F16 && rows == 1 ? 8 : 2;

    private static KernelVariant Variant(WeightFormat format, int tiles) => new("linear/decode.cu", format.Define(), $"TILES={tiles}");

    /// <param name="Stages">Slots of a warp's ring.</param>
    /// <param name="Blocks">Blocks the device holds at a time.</param>
    private readonly record struct Plan(int Stages, int SharedBytes, int Blocks)
    {
        /// <summary>Two blocks share a multiprocessor where sums are small, so that one reads while the other adds up.</summary>
        public static Plan For(WeightFormat format, int tiles, int maxSharedBytes, int maxStages)
        {
            const int ReservedBytes = 1024;
            var budget = maxSharedBytes / (tiles <= 2 ? 2 : 1) - ReservedBytes;
            var sums = 2 * Warps * tiles * 8 * WeightFormats.TileRows * sizeof(float);
            var stage = Warps * (SlotOf(format.UnitBytes()) + BarrierBytes);
            var stages = Math.Min((budget - sums) / stage, maxStages);
            return new(stages, sums + stages * stage, 0);
        }

        /// <summary>As <c>slot_bytes</c> in the kernel: 2 KB and a little more.</summary>
        private static int SlotOf(int unit) => unit * (unit >= 1024 ? 2 : unit >= 512 ? 4 : 8);
    }
}
