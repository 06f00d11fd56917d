using LServe.Cuda.Launch;

namespace LServe.Tests.Kernels.Cuda;

/// <summary>Rotation, append and attention over dense pages, against float64. Unused places of pages hold NaN.</summary>
public class KvTests
{
    private const int QueryHeads = 6, KvHeads = 2, PageTokens = 64, PoolPages = 40, Width = 12;

    [GpuTheory]
    [InlineData(64, true, false)]
    [InlineData(128, false, true)]
    [InlineData(80, true, true)]
    [InlineData(256, false, false)]
    public void RopeAppendTurnsQueriesAndFillsPages(int dim, bool halves, bool normed)
    {
        int[] positions = [0, 1, 63, 700, 524287 % (Width * PageTokens)];
        var width = (QueryHeads + 2 * KvHeads) * dim;
        var random = new Random(4);
        float[] x = Values.WithOutliers(random, positions.Length * width), queryGain = Values.WithOutliers(random, dim), keyGain = Values.WithOutliers(random, dim);
        double[] frequencies = [.. Enumerable.Range(0, dim / 2).Select(i => Math.Pow(500000, -2.0 * i / dim))];
        using var sequences = new Sequences(positions, dim);
        using var qkv = Gpu.Upload<float>(x);
        using var frequency = Gpu.Upload<double>(frequencies);
        using var query = Gpu.Upload<float>(queryGain);
        using var key = Gpu.Upload<float>(keyGain);
        new RopeAppend(Gpu.Library).Launch(Gpu.Stream, positions.Length, new()
        {
            Kv = sequences.Pages, Qkv = qkv.Address, InverseFrequencies = frequency.Address,
            QueryNorm = normed ? query.Address : 0, KeyNorm = normed ? key.Address : 0,
            QueryHeads = QueryHeads, HeadDim = dim, Halves = halves ? 1 : 0, Epsilon = 1e-6f, Magnitude = 1.25f,
        });
        var expected = Array.ConvertAll(x, v => (double)v);
        var turned = Gpu.Download<float>(qkv, x.Length);
        var pages = sequences.Download();
        for (var r = 0; r < positions.Length; r++)
            for (var head = 0; head < QueryHeads + 2 * KvHeads; head++)
            {
                var values = expected.AsSpan(r * width + head * dim, dim);
                if (head < QueryHeads + KvHeads) Turn(values, positions[r], frequencies, halves, normed ? head < QueryHeads ? queryGain : keyGain : null);
                if (head < QueryHeads) Values.AssertClose(turned.AsSpan(r * width + head * dim, dim), values, 1e-6);
                else Values.AssertClose(sequences.Stored(pages, r, (head - QueryHeads) % KvHeads, isValue: head >= QueryHeads + KvHeads), values, 5e-4);
            }
    }

    [GpuTheory]
    [InlineData(64)]
    [InlineData(80)]
    [InlineData(128)]
    [InlineData(256)]
    public void AttendAgreesWithFloat64(int dim)
    {
        int[] positions = [0, 1, 62, 63, 64, 300, 511, 512, 767];
        var width = (QueryHeads + 2 * KvHeads) * dim;
        var random = new Random(5);
        var x = Values.WithOutliers(random, positions.Length * width);
        using var sequences = new Sequences(positions, dim);
        var pages = sequences.FillUsed(random);
        using var qkv = Gpu.Upload<float>(x);
        using var output = Gpu.Poisoned(positions.Length * QueryHeads * dim * 2);
        new Attend(Gpu.Library).Launch(Gpu.Stream, positions.Length, new()
        {
            Kv = sequences.Pages, Qkv = qkv.Address, Output = output.Address, QueryHeads = QueryHeads, HeadDim = dim,
        });
        var actual = Values.ToFloat(Gpu.Download<Half>(output, positions.Length * QueryHeads * dim));
        for (var r = 0; r < positions.Length; r++)
            for (var head = 0; head < QueryHeads; head++)
            {
                var expected = Attention(x.AsSpan(r * width + head * dim, dim), sequences, pages, r, head / (QueryHeads / KvHeads), positions[r] + 1);
                Values.AssertClose(actual.AsSpan((r * QueryHeads + head) * dim, dim), expected, 1e-3);
            }
    }

    private static double[] Attention(ReadOnlySpan<float> query, Sequences sequences, Half[] pages, int row, int kvHead, int length)
    {
        var (weights, output, total) = (new double[length], new double[query.Length], 0.0);
        for (var t = 0; t < length; t++)
        {
            var key = sequences.At(pages, row, kvHead, t, isValue: false);
            for (var d = 0; d < query.Length; d++) weights[t] += query[d] * (double)key[d] / Math.Sqrt(query.Length);
        }
        var most = weights.Max();
        for (var t = 0; t < length; t++) total += weights[t] = Math.Exp(weights[t] - most);
        for (var t = 0; t < length; t++)
        {
            var value = sequences.At(pages, row, kvHead, t, isValue: true);
            for (var d = 0; d < query.Length; d++) output[d] += weights[t] / total * (double)value[d];
        }
        return output;
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

    /// <summary>One sequence per row, its pages scattered over a pool of NaNs.</summary>
    private sealed class Sequences : IDisposable
    {
        private readonly int[] _positions, _tables;
        private readonly int _dim;
        private readonly LServe.Cuda.Driver.DeviceMemory _pool, _table, _lines, _position;

        public Sequences(int[] positions, int dim)
        {
            (_positions, _dim) = (positions, dim);
            var shuffled = Enumerable.Range(0, PoolPages).ToArray();
            new Random(7).Shuffle(shuffled);
            _tables = new int[positions.Length * Width];
            Array.Fill(_tables, int.MaxValue / 2);
            var next = 0;
            for (var r = 0; r < positions.Length; r++)
                for (var p = 0; p <= positions[r] / PageTokens; p++) _tables[(positions.Length - 1 - r) * Width + p] = shuffled[next++];
            _pool = Gpu.Poisoned((long)PoolPages * KvHeads * 2 * PageTokens * dim * 2);
            _table = Gpu.Upload<int>(_tables);
            _lines = Gpu.Upload<int>(positions.Select((_, r) => positions.Length - 1 - r).ToArray());
            _position = Gpu.Upload<int>(positions);
        }

        public DensePages Pages => new()
        {
            Layer = _pool.Address, Tables = _table.Address, Lines = _lines.Address, Positions = _position.Address, Width = Width, KvHeads = KvHeads,
        };

        public Half[] Download() => Gpu.Download<Half>(_pool, PoolPages * KvHeads * 2 * PageTokens * _dim);

        /// <summary>Random keys and values wherever a row may look.</summary>
        public Half[] FillUsed(Random random)
        {
            var pages = Download();
            for (var r = 0; r < _positions.Length; r++)
                for (var head = 0; head < KvHeads; head++)
                    for (var t = 0; t <= _positions[r]; t++)
                    {
                        Values.ToHalf(Values.WithOutliers(random, _dim, 0.3f)).CopyTo(At(pages, r, head, t, isValue: false));
                        Values.ToHalf(Values.WithOutliers(random, _dim)).CopyTo(At(pages, r, head, t, isValue: true));
                    }
            _pool.Upload<Half>(pages);
            return pages;
        }

        public Span<Half> At(Half[] pages, int row, int head, int position, bool isValue)
        {
            var page = _tables[(_positions.Length - 1 - row) * Width + position / PageTokens];
            return pages.AsSpan((((page * KvHeads + head) * 2 + (isValue ? 1 : 0)) * PageTokens + position % PageTokens) * _dim, _dim);
        }

        public float[] Stored(Half[] pages, int row, int head, bool isValue) => Values.ToFloat(At(pages, row, head, _positions[row], isValue));

        public void Dispose()
        {
            _pool.Dispose();
            _table.Dispose();
            _lines.Dispose();
            _position.Dispose();
        }
    }
}
