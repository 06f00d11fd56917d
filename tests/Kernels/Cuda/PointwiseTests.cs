using LServe.Cuda.Launch;

namespace LServe.Tests.Kernels.Cuda;

public class PointwiseTests
{
    [GpuTheory]
    [InlineData(1, 576)]
    [InlineData(5, 4096)]
    public void RmsNorm(int rows, int columns)
    {
        var random = new Random(1);
        float[] x = Values.WithOutliers(random, 2 * rows * columns), gain = Values.WithOutliers(random, columns);
        int[] chosen = [.. Enumerable.Range(0, rows).Select(r => 2 * r + 1)];
        using var input = Gpu.Upload<float>(x);
        using var weight = Gpu.Upload<float>(gain);
        using var index = Gpu.Upload<int>(chosen);
        using var output = Gpu.Poisoned(rows * columns * 2);
        new RmsNorm(Gpu.Library).Launch(Gpu.Stream, rows, new()
        {
            X = input.Address, Gain = weight.Address, Y = output.Address, Rows = index.Address, Columns = columns, Epsilon = 1e-5f, Transposed = rows / 2,
        });
        var expected = new double[rows * columns];
        for (var r = 0; r < rows; r++)
        {
            var row = x.AsSpan(chosen[r] * columns, columns);
            double squares = 0;
            foreach (var v in row) squares += (double)v * v;
            for (var i = 0; i < columns; i++) expected[r * columns + i] = row[i] / Math.Sqrt(squares / columns + 1e-5f) * gain[i];
        }
        AssertLastTransposed(Gpu.Download<Half>(output, rows * columns), expected, rows / 2 * columns);
    }

    private static void AssertLastTransposed(Half[] actual, double[] expected, int last)
    {
        var natural = actual.Length - last;
        Values.AssertClose(Values.ToFloat([.. actual[..natural], .. Values.Transposed<Half>(actual.AsSpan(natural))]), expected, 5e-4);
    }

    [GpuFact]
    public void SiluMul()
    {
        const int Rows = 3, Columns = 1568;
        var x = Values.WithOutliers(new Random(2), Rows * 2 * Columns);
        using var input = Gpu.Upload<float>(x);
        using var output = Gpu.Poisoned(Rows * Columns * 2);
        new SiluMul(Gpu.Library).Launch(Gpu.Stream, Rows, new() { GateUp = input.Address, Y = output.Address, Columns = Columns, Transposed = 1 });
        var expected = new double[Rows * Columns];
        for (var r = 0; r < Rows; r++)
            for (var i = 0; i < Columns; i++)
            {
                double gate = x[r * 2 * Columns + i], up = x[r * 2 * Columns + Columns + i];
                expected[r * Columns + i] = gate / (1 + Math.Exp(-gate)) * up;
            }
        AssertLastTransposed(Gpu.Download<Half>(output, Rows * Columns), expected, Columns);
    }

    public static TheoryData<string> Formats => new(WeightFormats.All.Select(format => format.ToString()));

    [GpuTheory]
    [MemberData(nameof(Formats))]
    public void Embed(string name)
    {
        const int Vocabulary = 50, Columns = 640;
        var matrix = RandomMatrix.Create(Enum.Parse<WeightFormat>(name), Vocabulary, Columns, seed: 3);
        int[] tokens = [49, 0, 7, 7, 16, 33, -1, Vocabulary];
        using var table = matrix.Load(withBias: false);
        using var ids = Gpu.Upload<int>(tokens);
        using var output = Gpu.Poisoned(tokens.Length * Columns * 4);
        new Embed(Gpu.Library).Launch(Gpu.Stream, table, ids.Address, output.Address, tokens.Length);
        var x = Gpu.Download<float>(output, tokens.Length * Columns);
        for (var r = 0; r < tokens.Length; r++)
            for (var k = 0; k < Columns; k++)
                Assert.Equal(tokens[r] is < 0 or >= Vocabulary ? 0 : matrix.Values[tokens[r] * Columns + k] * (matrix.RowScale?[tokens[r]] ?? 1), x[r * Columns + k], 1e-6f);
    }
}
