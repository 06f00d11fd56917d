using LServe.Cuda.Launch;

namespace LServe.Tests.Kernels.Cuda;

/// <summary>Rotation of queries and keys against float64; values stay as they are.</summary>
public class RopeTests
{
    private const int QueryHeads = 6, KvHeads = 2;

    [GpuTheory]
    [InlineData(64, true, false)]
    [InlineData(128, false, true)]
    [InlineData(80, true, true)]
    [InlineData(256, false, false)]
    public void QueriesAndKeysTurn(int dim, bool halves, bool normed)
    {
        int[] positions = [0, 1, 63, 700, 524287];
        var width = (QueryHeads + 2 * KvHeads) * dim;
        var random = new Random(4);
        float[] x = Values.WithOutliers(random, positions.Length * width), queryGain = Values.WithOutliers(random, dim), keyGain = Values.WithOutliers(random, dim);
        double[] frequencies = [.. Enumerable.Range(0, dim / 2).Select(i => Math.Pow(500000, -2.0 * i / dim))];
        using var qkv = Gpu.Upload<float>(x);
        using var position = Gpu.Upload<int>(positions);
        using var frequency = Gpu.Upload<double>(frequencies);
        using var query = Gpu.Upload<float>(queryGain);
        using var key = Gpu.Upload<float>(keyGain);
        new Rope(Gpu.Library).Launch(Gpu.Stream, positions.Length, new()
        {
            Qkv = qkv.Address, Positions = position.Address, InverseFrequencies = frequency.Address,
            QueryNorm = normed ? query.Address : 0, KeyNorm = normed ? key.Address : 0,
            QueryHeads = QueryHeads, KvHeads = KvHeads, HeadDim = dim, Halves = halves ? 1 : 0, Epsilon = 1e-6f, Magnitude = 1.25f,
        });
        var turned = Gpu.Download<float>(qkv, x.Length);
        var expected = Array.ConvertAll(x, v => (double)v);
        for (var r = 0; r < positions.Length; r++)
            for (var head = 0; head < QueryHeads + 2 * KvHeads; head++)
            {
                var values = expected.AsSpan(r * width + head * dim, dim);
                if (head < QueryHeads + KvHeads) Turn(values, positions[r], frequencies, halves, normed ? head < QueryHeads ? queryGain : keyGain : null);
                Values.AssertClose(turned.AsSpan(r * width + head * dim, dim), values, 1e-6);
            }
    }

    private static void Turn(Span<double> head, int position, double[] frequencies, bool halves, float[]? gain)
    {
        if (gain is not null)
        {
            double squares = 0;
            foreach (var v in head) squares += v * v;
            for (var i = 0; i < head.Length; i++) head[i] *= gain[i] / Math.Sqrt(squares / head.Length + 1e-6f);
        }
        for (var i = 0; i < frequencies.Length; i++)
        {
            var (a, b) = halves ? (i, i + frequencies.Length) : (2 * i, 2 * i + 1);
            var (sine, cosine) = Math.SinCos(position * frequencies[i]);
            (head[a], head[b]) = (1.25 * (head[a] * cosine - head[b] * sine), 1.25 * (head[a] * sine + head[b] * cosine));
        }
    }
}
