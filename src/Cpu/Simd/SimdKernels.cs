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

    public static SimdKernels Create(SimdLevel level, int threads, Activations activations = Activations.Float32) => level switch
    {
        SimdLevel.Vector512 => Create<Lanes512, Vector512<float>, CodeLanes512, Vector512<int>>(threads, activations),
        SimdLevel.Vector256 => Create<Lanes256, Vector256<float>, CodeLanes256, Vector256<int>>(threads, activations),
        SimdLevel.Vector128 => Create<Lanes128, Vector128<float>, CodeLanes128, Vector128<int>>(threads, activations),
        SimdLevel.Scalar => Create<LanesScalar, float, CodeLanesScalar, int>(threads, activations),
        _ => throw new ArgumentOutOfRangeException(nameof(level)),
    };

    private static SimdKernels Create<L, F, D, V>(int threads, Activations activations)
        where L : ILanes<F>
        where F : struct
        where D : ICodeLanes<V, F>
        where V : struct
    {
        var kernels = new Dictionary<TensorType, WeightKernel>();
        var int8 = activations == Activations.Int8;
        WeightKernel KernelOf(TensorType type)
        {
            if (kernels.TryGetValue(type, out var known)) return known;
            var kernel = WeightKernel.Create<L, F>(type);
            kernel.Int8 = int8 ? Int8Kernel.Create<L, F, D, V>(type) : null;
            return kernels[type] = kernel;
        }
        return new(new LinearWork<L, F>(threads, new QuantisedRows<L, F, D, V>()), new RmsNormWork<L, F>(), new SiluMulWork<L, F>(), KernelOf,
            count => new AttendWork<L, F>(count), count => new SelectWork<L, F>(count), () => new AppendWork<L, F>());
    }
}
