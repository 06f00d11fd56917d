using LServe.Cpu;
using LServe.Inference;
using LServe.Model;

namespace LServe.Tests.Kernels.Cpu;

/// <summary>Linear layers of every tensor type at every width against the reference backend.</summary>
public sealed class LinearTests
{
    private const double Tolerance = 1e-5;

    public static TheoryData<SimdLevel, TensorType> Combinations => Fixture.LevelsWith(Enum.GetValues<TensorType>());

    [Theory, MemberData(nameof(Combinations))]
    public void Outputs_equal_the_reference(SimdLevel level, TensorType type)
    {
        foreach (var (rows, outputs, columns) in new[] { (1, 36, 512), (2, 33, 256), (7, 70, 256), (16, 8, 768) }) Check(level, type, rows, outputs, columns);
    }

    [Theory, MemberData(nameof(FixtureLevels))]
    public void Columns_that_no_vector_divides_work(SimdLevel level)
    {
        foreach (var type in new[] { TensorType.F32, TensorType.F16, TensorType.BF16 })
            foreach (var columns in new[] { 1, 17, 43, 100 })
                foreach (var rows in new[] { 1, 5 }) Check(level, type, rows, 12, columns);
    }

    [Theory, MemberData(nameof(FixtureLevels))]
    public void Parts_of_different_types_stack_with_biases(SimdLevel level)
    {
        var seed = Fixture.NewSeed();
        var random = new Random(seed);
        using NativeTensor a = NativeTensor.Random(random, TensorType.Q4_1, 40, 256), b = NativeTensor.Random(random, TensorType.Q6_K, 5, 256);
        using NativeTensor c = NativeTensor.Random(random, TensorType.F16, 11, 256), bias = NativeTensor.Of(Fixture.Values(random, 5));
        foreach (var rows in new[] { 1, 9 })
            foreach (var add in new[] { false, true })
                Check(level, random, rows, [a.Tensor, b.Tensor, c.Tensor], [null, bias.Tensor, null], add, seed);
    }

    public static TheoryData<SimdLevel> FixtureLevels => Fixture.Levels;

    private static void Check(SimdLevel level, TensorType type, int rows, int outputs, int columns)
    {
        var seed = Fixture.NewSeed();
        var random = new Random(seed);
        using var weights = NativeTensor.Random(random, type, outputs, columns);
        Check(level, random, rows, [weights.Tensor], [], add: false, seed);
    }

    private static void Check(SimdLevel level, Random random, int rows, Tensor[] parts, Tensor?[] biases, bool add, int seed)
    {
        using var fast = new CpuBackend(new CpuOptions { Level = level, Threads = 2 });
        using var truth = new CpuReferenceBackend(threads: 1);
        var plan = Fixture.Rows(rows);
        using IDeviceBuffer x = fast.Allocate(rows, parts[0].Columns), start = fast.Allocate(rows, parts.Sum(p => p.Rows));
        Fixture.Fill(x, random);
        Fixture.Fill(start, random);
        using IDeviceBuffer expected = Run(truth), actual = Run(fast);
        Fixture.AssertNear(expected, actual, Tolerance, seed);

        IDeviceBuffer Run(IBackend backend)
        {
            using var w = backend.LoadMatrix(parts, biases);
            var y = backend.Allocate(rows, w.Rows);
            if (add) Fixture.Copy(start, y);
            else Fixture.Poison(y);
            backend.BeginStep(plan);
            if (add) backend.LinearAdd(x, w, y);
            else backend.Linear(x, w, y);
            return y;
        }
    }
}
