using LServe.Cuda.Launch;

namespace LServe.Tests.Kernels.Cuda;

/// <summary>Both products against float64 over the same binary16 inputs and stored weights, so that only the order of summing differs.</summary>
public class LinearTests
{
    private const double Tolerance = 2e-5;

    public static IEnumerable<object[]> Shapes =>
        from format in WeightFormats.All
        from shape in new (int Outputs, int Columns)[] { (576, 640), (40, 128), (72, 96), (1536, 1536), (17, 4096), (6144, 256) }
        where shape.Columns % format.UnitColumns() == 0
        from prefill in new[] { false, true }
        select new object[] { format.ToString(), shape.Outputs, shape.Columns, prefill };

    [GpuTheory]
    [MemberData(nameof(Shapes))]
    public void AgreesWithFloat64AndARowsBitsDontDependOnTheOthers(string name, int outputs, int columns, bool prefill)
    {
        var matrix = RandomMatrix.Create(Enum.Parse<WeightFormat>(name), outputs, columns, seed: 1);
        var rows = prefill ? 300 : LinearDecode.MaxRows;
        var x = Values.ToHalf(Values.WithOutliers(new Random(2), rows * columns));
        using var w = matrix.Load(withBias: true);
        var all = Run(w, x, rows, prefill, initial: null);
        Values.AssertClose(all, matrix.Multiply(x, rows, withBias: true), Tolerance);
        foreach (var (first, count) in new[] { (0, 1), (rows - 1, 1), (3, 7), (1, 9), (5, 17), (2, 33) })
            Assert.Equal(all.AsSpan(first * outputs, count * outputs).ToArray(), Run(w, x.AsSpan(first * columns, count * columns), count, prefill, initial: null));
    }

    [GpuTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void AddsToWhatIsThere(bool prefill)
    {
        const int Outputs = 48, Columns = 256, Rows = 12;
        var matrix = RandomMatrix.Create(WeightFormat.Q4_1, Outputs, Columns, seed: 3);
        var x = Values.ToHalf(Values.WithOutliers(new Random(4), Rows * Columns));
        var initial = Values.WithOutliers(new Random(5), Rows * Outputs, scale: 100);
        using var w = matrix.Load(withBias: false);
        var expected = matrix.Multiply(x, Rows, withBias: false);
        for (var i = 0; i < expected.Length; i++) expected[i] += initial[i];
        Values.AssertClose(Run(w, x, Rows, prefill, initial), expected, Tolerance);
    }

    private static float[] Run(PackedMatrix w, ReadOnlySpan<Half> x, int rows, bool prefill, float[]? initial)
    {
        using var input = Gpu.Upload<Half>(prefill ? Values.Transposed(x) : x);
        using var output = initial is null ? Gpu.Poisoned((long)rows * w.Rows * 4) : Gpu.Upload<float>(initial);
        var parameters = new LinearParams(w, input.Address, output.Address, rows, w.Rows, initial is not null);
        if (prefill) new LinearPrefill(Gpu.Library).Launch(Gpu.Stream, w.Format, parameters);
        else new LinearDecode(Gpu.Library).Launch(Gpu.Stream, w.Format, parameters);
        return Gpu.Download<float>(output, rows * w.Rows);
    }
}
