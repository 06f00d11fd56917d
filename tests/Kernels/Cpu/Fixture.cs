using LServe.Cpu;
using LServe.Inference;
using LServe.Tests.Support;

namespace LServe.Tests.Kernels.Cpu;

/// <summary>Inputs and comparisons that the kernel tests share.</summary>
internal static class Fixture
{
    /// <summary>The levels this machine has.</summary>
    public static TheoryData<SimdLevel> Levels => [.. AvailableLevels];

    private static IEnumerable<SimdLevel> AvailableLevels => Enum.GetValues<SimdLevel>().Where(level => level >= SimdLevels.Widest);

    /// <summary>Each level with each of <paramref name="others"/>.</summary>
    public static TheoryData<SimdLevel, T> LevelsWith<T>(params T[] others)
    {
        var data = new TheoryData<SimdLevel, T>();
        foreach (var level in AvailableLevels)
            foreach (var other in others) data.Add(level, other);
        return data;
    }

    /// <summary>A new seed each run; a failure's message names it.</summary>
    public static int NewSeed() => Random.Shared.Next();

    /// <summary>Normal values, one in 50 of them 30 times as large.</summary>
    public static float[] Values(Random random, int count, float deviation = 1) =>
        [.. Enumerable.Range(0, count).Select(_ => RandomTensor.Gaussian(random) * deviation * (random.Next(50) == 0 ? 30 : 1))];

    public static void Fill(IDeviceBuffer buffer, Random random, float deviation = 1)
    {
        var host = (HostBuffer)buffer;
        for (var row = 0; row < host.Rows; row++) Values(random, host.Columns, deviation).CopyTo(host.Values(row));
    }

    public static void Poison(IDeviceBuffer buffer)
    {
        var host = (HostBuffer)buffer;
        for (var row = 0; row < host.Rows; row++) host.Values(row).Fill(float.NaN);
    }

    public static void Copy(IDeviceBuffer from, IDeviceBuffer to)
    {
        for (var row = 0; row < from.Rows; row++) ((HostBuffer)from).Values(row).CopyTo(((HostBuffer)to).Values(row));
    }

    public static void AssertNear(IDeviceBuffer expected, IDeviceBuffer actual, double tolerance, int seed)
    {
        for (var row = 0; row < expected.Rows; row++)
        {
            var error = LogitMath.RelativeError(((HostBuffer)expected).Values(row), ((HostBuffer)actual).Values(row));
            Assert.True(error <= tolerance, $"row {row}: relative error {error:E2} is above {tolerance:E2} (seed {seed})");
        }
    }

    /// <summary>A plan with one prompt of <paramref name="rows"/> rows, for operations that look at nothing else.</summary>
    public static StepPlan Rows(int rows)
    {
        var table = new TwoWayPageTable();
        for (var i = 0; i < KvGeometry.PagesFor(rows); i++) table.Add(i);
        var plan = new StepPlan();
        plan.AddPrefill(table, 0, new int[rows], LogitChoice.Last);
        return plan;
    }
}
