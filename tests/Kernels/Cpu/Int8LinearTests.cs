using System.Runtime.InteropServices;
using LServe.Cpu;
using LServe.Inference;
using LServe.Model;

namespace LServe.Tests.Kernels.Cpu;

/// <summary>Linear layers with 8-bit activations at every width.</summary>
public sealed class Int8LinearTests
{
    private const double Tolerance = 1e-5;
    private static readonly TensorType[] Types = [TensorType.Q4_0, TensorType.Q4_1, TensorType.Q8_0];

    public static TheoryData<SimdLevel, TensorType> Combinations => Fixture.LevelsWith(Types);

    public static TheoryData<SimdLevel> Levels => Fixture.Levels;

    [Theory, MemberData(nameof(Combinations))]
    public void Outputs_equal_the_scalar_reference(SimdLevel level, TensorType type)
    {
        foreach (var (rows, outputs, columns) in new[] { (1, 36, 512), (2, 33, 256), (7, 70, 576), (16, 8, 768), (100, 3, 32), (13, 64, 1536) })
        {
            var seed = Fixture.NewSeed();
            var random = new Random(seed);
            using NativeTensor weights = NativeTensor.Random(random, type, outputs, columns), bias = NativeTensor.Of(Fixture.Values(random, outputs));
            using var backend = Backend(level);
            using IDeviceBuffer x = backend.Allocate(rows, columns), y = backend.Allocate(rows, outputs), expected = backend.Allocate(rows, outputs);
            Fixture.Fill(x, random);
            Fixture.Fill(y, random);
            var biases = MemoryMarshal.Cast<byte, float>(bias.Tensor.Row(0));
            for (var row = 0; row < rows; row++)
            {
                var product = Int8Reference.Multiply(((HostBuffer)x).Values(row), weights.Tensor);
                for (var i = 0; i < outputs; i++) ((HostBuffer)expected).Values(row)[i] = product[i] + biases[i] + ((HostBuffer)y).Values(row)[i];
            }
            using var matrix = backend.LoadMatrix([weights.Tensor], [bias.Tensor]);
            backend.BeginStep(Fixture.Rows(rows));
            backend.LinearAdd(x, matrix, y);
            Fixture.AssertNear(expected, y, Tolerance, seed);
        }
    }

    [Theory, MemberData(nameof(Levels))]
    public void Other_types_and_ragged_rows_keep_float_activations(SimdLevel level)
    {
        AssertAsWithFloats(level, TensorType.Q6_K, 256);
        AssertAsWithFloats(level, TensorType.BF16, 72);
    }

    [Theory, MemberData(nameof(Combinations))]
    public void Zeros_and_the_smallest_numbers_give_zeros(SimdLevel level, TensorType type)
    {
        using var weights = NativeTensor.Random(new Random(1), type, 40, 64);
        using var backend = Backend(level);
        using IDeviceBuffer x = backend.Allocate(2, 64), y = backend.Allocate(2, 40);
        ((HostBuffer)x).Values(0).Clear();
        ((HostBuffer)x).Values(1).Fill(float.Epsilon);
        Fixture.Poison(y);
        using var matrix = backend.LoadMatrix([weights.Tensor]);
        backend.BeginStep(Fixture.Rows(2));
        backend.Linear(x, matrix, y);
        for (var row = 0; row < 2; row++) Assert.All(((HostBuffer)y).Values(row).ToArray(), value => Assert.Equal(0, value));
    }

    [Fact]
    public void Arithmetic_names_the_activations()
    {
        using var int8 = Backend(SimdLevels.Widest);
        using var float32 = new CpuBackend(new CpuOptions { Threads = 1 });
        Assert.NotEqual(float32.Info.Arithmetic, int8.Info.Arithmetic);
    }

    private static void AssertAsWithFloats(SimdLevel level, TensorType type, int columns)
    {
        var seed = Fixture.NewSeed();
        using var weights = NativeTensor.Random(new Random(seed), type, 20, columns);
        using IDeviceBuffer floats = Run(Activations.Float32), int8 = Run(Activations.Int8);
        Fixture.AssertNear(floats, int8, 0, seed);

        IDeviceBuffer Run(Activations activations)
        {
            using var backend = new CpuBackend(new CpuOptions { Level = level, Threads = 2, Activations = activations });
            using var x = backend.Allocate(3, columns);
            Fixture.Fill(x, new Random(seed));
            using var matrix = backend.LoadMatrix([weights.Tensor]);
            var y = backend.Allocate(3, 20);
            backend.BeginStep(Fixture.Rows(3));
            backend.Linear(x, matrix, y);
            return y;
        }
    }

    private static CpuBackend Backend(SimdLevel level) => new(new CpuOptions { Level = level, Threads = 2, Activations = Activations.Int8 });
}
