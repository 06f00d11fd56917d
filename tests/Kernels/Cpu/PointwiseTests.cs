using System.Runtime.Intrinsics;
using LServe.Cpu;
using LServe.Inference;

namespace LServe.Tests.Kernels.Cpu;

/// <summary>Operations on single rows at every width against the reference backend.</summary>
public sealed class PointwiseTests
{
    private const double Tolerance = 2e-6;

    public static TheoryData<SimdLevel> Levels => Fixture.Levels;

    [Theory, MemberData(nameof(Levels))]
    public void RmsNorm_equals_the_reference(SimdLevel level)
    {
        var seed = Fixture.NewSeed();
        foreach (var (rows, columns) in new[] { (1, 576), (3, 50), (20, 1), (9, 64) })
        {
            var random = new Random(seed);
            using var gain = NativeTensor.Of(Fixture.Values(random, columns));
            Check(level, rows, columns, columns, seed, (backend, x, y) =>
            {
                using var weight = backend.LoadVector(gain.Tensor);
                backend.RmsNorm(x, weight, 1e-5f, y);
            });
        }
    }

    [Theory, MemberData(nameof(Levels))]
    public void SiluMul_equals_the_reference(SimdLevel level)
    {
        foreach (var (rows, columns) in new[] { (1, 1536), (4, 37), (11, 160) })
            Check(level, rows, 2 * columns, columns, Fixture.NewSeed(), (backend, x, y) => backend.SiluMul(x, y));
    }

    [Fact]
    public void Powers_of_two_keep_their_stated_error()
    {
        Check<Lanes128, Vector128<float>>();
        Check<LanesScalar, float>();
        if (Vector256.IsHardwareAccelerated) Check<Lanes256, Vector256<float>>();
        if (Vector512.IsHardwareAccelerated) Check<Lanes512, Vector512<float>>();

        static unsafe void Check<L, F>() where L : ILanes<F> where F : struct
        {
            var result = stackalloc float[16];
            for (var x = -126f; x < 127; x += 0.0037f)
            {
                L.Store(result, Exponential<L, F>.PowerOfTwo(L.Fill(x)));
                Assert.InRange(Math.Abs(*result / Math.Pow(2, x) - 1), 0, 2e-7);
            }
            foreach (var (x, power) in new[] { (0f, 1f), (-1e30f, 0f), (float.NegativeInfinity, 0f), (-126.5f, 0f), (5f, 32f), (400f, 1.7014118e38f) })
            {
                L.Store(result, Exponential<L, F>.PowerOfTwo(L.Fill(x)));
                Assert.Equal(power, *result);
            }
        }
    }

    [Fact]
    public unsafe void Halves_convert_exactly_and_round_to_even()
    {
        for (var bits = 0; bits < 1 << 16; bits++)
        {
            var half = BitConverter.UInt16BitsToHalf((ushort)bits);
            if (!Half.IsFinite(half)) continue;
            Assert.Equal((float)half, HalfBits.ToSingle((ushort)bits));
            Assert.Equal((ushort)bits, HalfBits.FromSingle((float)half));
        }
        var seed = Fixture.NewSeed();
        var random = new Random(seed);
        for (var i = 0; i < 200_000; i++)
        {
            var value = BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue));
            if (!float.IsFinite(value)) continue;
            var expected = BitConverter.HalfToUInt16Bits((Half)Math.Clamp(value, -65504f, 65504f));
            Assert.True(expected == HalfBits.FromSingle(value), $"{value:R} (seed {seed})");
        }
    }

    private static void Check(SimdLevel level, int rows, int columns, int outputs, int seed, Action<IBackend, IDeviceBuffer, IDeviceBuffer> operation)
    {
        using var fast = new CpuBackend(new CpuOptions { Level = level, Threads = 2 });
        using var truth = new CpuReferenceBackend(threads: 1);
        using IDeviceBuffer x = fast.Allocate(rows, columns), expected = truth.Allocate(rows, outputs), actual = fast.Allocate(rows, outputs);
        Fixture.Fill(x, new Random(seed));
        Fixture.Poison(actual);
        var plan = Fixture.Rows(rows);
        foreach (var (backend, y) in new (IBackend, IDeviceBuffer)[] { (truth, expected), (fast, actual) })
        {
            backend.BeginStep(plan);
            operation(backend, x, y);
        }
        Fixture.AssertNear(expected, actual, Tolerance, seed);
    }
}
