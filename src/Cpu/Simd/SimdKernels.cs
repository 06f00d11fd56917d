using System.Runtime.Intrinsics;
using LServe.Model;

namespace LServe.Cpu;

/// <summary>The operations of one vector width.</summary>
internal sealed record SimdKernels(
    LinearWork Linear, RmsNormWork RmsNorm, SiluMulWork SiluMul, Func<TensorType, WeightKernel> WeightKernels, Func<int, AttendWork> CreateAttend,
    Func<int, SelectWork> CreateSelect, Func<AppendWork> CreateAppend)
{
    /// <summary>Rows: below this an operation on single rows is done sooner than the other threads are told of it.</summary>
    public const int RowsWorthSharing = 8;

    public static SimdKernels Create(SimdLevel level, int threads) => level switch
    {
        SimdLevel.Vector512 => Create<Lanes512, Vector512<float>>(threads),
        SimdLevel.Vector256 => Create<Lanes256, Vector256<float>>(threads),
        SimdLevel.Vector128 => Create<Lanes128, Vector128<float>>(threads),
        SimdLevel.Scalar => Create<LanesScalar, float>(threads),
        _ => throw new ArgumentOutOfRangeException(nameof(level)),
    };

    private static SimdKernels Create<L, F>(int threads)
        where L : ILanes<F>
        where F : struct
    {
        var kernels = new Dictionary<TensorType, WeightKernel>();
        WeightKernel KernelOf(TensorType type) => kernels.TryGetValue(type, out var kernel) ? kernel : kernels[type] = WeightKernel.Create<L, F>(type);
        return new(new LinearWork<L, F>(threads), new RmsNormWork<L, F>(), new SiluMulWork<L, F>(), KernelOf, count => new AttendWork<L, F>(count),
            count => new SelectWork<L, F>(count), () => new AppendWork<L, F>());
    }
}
