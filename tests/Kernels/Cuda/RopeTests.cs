using System.Runtime.InteropServices;
using LServe.Cuda.State;
using LServe.Inference;
using LServe.Model;

namespace LServe.Tests.Kernels.Cuda;

/// <summary>Rotation of queries in place, and of keys on their way into 16-bit pages, against float64; values stay as they are.</summary>
public sealed class RopeTests
{
    private const int QueryHeads = 6, KvHeads = 2, Pages = 8;

    [GpuTheory]
    [InlineData(64, true, false)]
    [InlineData(128, false, true)]
    [InlineData(80, true, true)]
    [InlineData(256, false, false)]
    public unsafe void QueriesAndKeysTurn(int dim, bool halves, bool normed)
    {
        int[] positions = [0, 1, 63, 700, 524287];
        var width = (QueryHeads + 2 * KvHeads) * dim;
        var random = new Random(4);
        float[] x = Values.WithOutliers(random, positions.Length * width), queryGain = Values.WithOutliers(random, dim), keyGain = Values.WithOutliers(random, dim);
        double[] frequencies = [.. Enumerable.Range(0, dim / 2).Select(i => Math.Pow(500000, -2.0 * i / dim))];
        using var backend = CudaTestBackend.Open(graphs: false);
        var geometry = new KvGeometry(1, KvHeads, dim, KvPrecision.F16, Pages) { GroupSize = QueryHeads / KvHeads, ChannelBlock = backend.Info.ChannelBlock };
        backend.AllocateKv(geometry);
        fixed (float* query = queryGain, key = keyGain)
        {
            using var queryNorm = backend.LoadVector(new Tensor("q", TensorType.F32, 1, dim, (byte*)query, dim * sizeof(float)));
            using var keyNorm = backend.LoadVector(new Tensor("k", TensorType.F32, 1, dim, (byte*)key, dim * sizeof(float)));
            using var qkv = (CudaBuffer)backend.Allocate(positions.Length, width);
            for (var row = 0; row < positions.Length; row++) CudaTestBackend.Upload(qkv, row, x[(row * width)..((row + 1) * width)]);
            var layer = new AttentionLayer(0, Config(dim, halves, frequencies), normed ? queryNorm : null, normed ? keyNorm : null);
            backend.BeginStep(Plan(positions));
            backend.RopeAppend(layer, qkv);
            backend.EndStep();
            for (var row = 0; row < positions.Length; row++)
                Check(CudaTestBackend.ReadFloats(qkv, row), PageOf(geometry, backend, row), positions[row], Array.ConvertAll(x[(row * width)..((row + 1) * width)], v => (double)v), dim,
                    (head, values) => Turn(values, positions[row], frequencies, halves, !normed ? null : head < QueryHeads ? queryGain : keyGain));
        }
    }

    private delegate void TurnHead(int head, Span<double> values);

    private static void Check(float[] turned, Half[] page, int position, double[] expected, int dim, TurnHead turn)
    {
        var pageHalves = page.Length / KvHeads;
        for (var head = 0; head < QueryHeads + KvHeads; head++)
        {
            var values = expected.AsSpan(head * dim, dim);
            turn(head, values);
            if (head < QueryHeads)
            {
                Values.AssertClose(turned.AsSpan(head * dim, dim), values, 1e-6);
                continue;
            }
            // Keys lie in words of two channels, [2 tiles][words][32 tokens]: docs/KV_LAYOUT.md.
            var (slot, words, own) = (position % 64, (dim + 63) / 64 * 32, (head - QueryHeads) * pageHalves);
            var stored = Enumerable.Range(0, dim).Select(c => (float)page[own + (((slot / 32 * words) + c / 2) * 32 + slot % 32) * 2 + c % 2]).ToArray();
            Values.AssertClose(stored, values, 1e-3);
        }
    }

    private static Half[] PageOf(KvGeometry geometry, IBackend backend, int page)
    {
        var bytes = new byte[geometry.PageBytes];
        backend.ReadPage(KvPool.Retrieval, page, bytes);
        return MemoryMarshal.Cast<byte, Half>(bytes).ToArray();
    }

    /// <summary>A decode row a position; the page of row r is r.</summary>
    private static StepPlan Plan(int[] positions)
    {
        var plan = new StepPlan();
        for (var row = 0; row < positions.Length; row++)
        {
            var table = new TwoWayPageTable();
            while (table.Capacity <= positions[row]) table.Add(row);
            plan.AddDecode(table, positions[row], 0, logits: false);
        }
        return plan;
    }

    private static ModelConfig Config(int dim, bool halves, double[] frequencies) => new()
    {
        Name = "test", Architecture = "llama", Layers = 1, HiddenSize = 64, FeedForwardSize = 64, QueryHeads = QueryHeads, KvHeads = KvHeads, HeadDim = dim, VocabularySize = 8,
        ContextLength = 1 << 20, RmsEpsilon = 1e-6f, Rope = new(halves ? RopeStyle.Halves : RopeStyle.Interleaved, frequencies, 1.25f),
    };

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
