using LServe.Cpu;
using LServe.Inference;
using LServe.Model;

namespace LServe.Tests.Kernels.Cpu;

/// <summary>RoPE, append and attention at every width against the reference backend, with unused pages and slots full of NaN.</summary>
public sealed class AttentionTests
{
    /// <summary>Scores of outliers times outliers stay where a float32's last place doesn't yet decide the softmax.</summary>
    private const float Deviation = 0.25f;

    private sealed record Shape(int Heads, int KvHeads, int Dim, RopeStyle Style, bool Norms = false, float Magnitude = 1);

    private static readonly Shape[] Shapes =
    [
        new(9, 3, 64, RopeStyle.Interleaved), new(4, 4, 16, RopeStyle.Halves), new(8, 1, 128, RopeStyle.Halves, Norms: true),
        new(7, 1, 80, RopeStyle.Interleaved, Magnitude: 1.2f), new(4, 2, 96, RopeStyle.Halves), new(2, 1, 6, RopeStyle.Halves, Norms: true),
    ];

    public static TheoryData<SimdLevel, KvPrecision> Combinations => Fixture.LevelsWith(KvPrecision.F32, KvPrecision.F16);

    [Theory, MemberData(nameof(Combinations))]
    public void Rows_equal_the_reference(SimdLevel level, KvPrecision precision)
    {
        foreach (var shape in Shapes) Check(level, precision, shape, Fixture.NewSeed());
    }

    /// <summary>Prompts and decode steps of three sequences whose lengths lie around the ends of pages and splits.</summary>
    private static void Check(SimdLevel level, KvPrecision precision, Shape shape, int seed)
    {
        var random = new Random(seed);
        var config = Config(shape);
        using var fast = new CpuBackend(new CpuOptions { Level = level, Threads = 3 });
        using var truth = new CpuReferenceBackend(threads: 2);
        using NativeTensor queryNorm = NativeTensor.Of(Fixture.Values(random, shape.Dim, Deviation)), keyNorm = NativeTensor.Of(Fixture.Values(random, shape.Dim, Deviation));
        foreach (var backend in new IBackend[] { fast, truth }) backend.AllocateKv(new(2, shape.KvHeads, shape.Dim, precision, 12));
        fast.Kv.Fill(0xFF);
        var tables = new[] { Table(1, 0, 7, 3, 4), Table(2), Table(5, 6, 8, 9) };
        var steps = new[] { ((int, int)[])[(0, 255), (1, 1)], [(1, 1), (2, 40), (0, 1)], [(0, 1), (1, 1), (2, 150)], [(0, 30), (2, 1)] };
        var lengths = new int[tables.Length];
        foreach (var step in steps)
        {
            var plan = Plan(step, tables, lengths);
            using IDeviceBuffer expected = Run(truth, plan, config, shape, queryNorm, keyNorm, seed);
            using IDeviceBuffer actual = Run(fast, plan, config, shape, queryNorm, keyNorm, seed);
            Fixture.AssertNear(expected, actual, precision == KvPrecision.F32 ? 1e-5 : 2e-3, seed);
        }
    }

    private static StepPlan Plan((int Sequence, int Rows)[] step, TwoWayPageTable[] tables, int[] lengths)
    {
        var plan = new StepPlan();
        foreach (var (sequence, rows) in step.OrderBy(s => s.Rows))
        {
            if (rows == 1) plan.AddDecode(tables[sequence], lengths[sequence], 0, logits: false);
            else plan.AddPrefill(tables[sequence], lengths[sequence], new int[rows], LogitChoice.None);
            lengths[sequence] += rows;
        }
        return plan;
    }

    private static IDeviceBuffer Run(
        IBackend backend, StepPlan plan, ModelConfig config, Shape shape, NativeTensor queryNorm, NativeTensor keyNorm, int seed)
    {
        using var qkv = backend.Allocate(plan.Rows, config.QkvSize);
        var output = backend.Allocate(plan.Rows, config.QueryHeads * config.HeadDim);
        Fixture.Fill(qkv, new Random(seed), Deviation);
        Fixture.Poison(output);
        using IDeviceWeight q = backend.LoadVector(queryNorm.Tensor), k = backend.LoadVector(keyNorm.Tensor);
        var layer = new AttentionLayer(1, config, shape.Norms ? q : null, shape.Norms ? k : null);
        backend.BeginStep(plan);
        backend.RopeAppend(layer, qkv);
        backend.Attend(layer, qkv, output);
        backend.EndStep();
        return output;
    }

    private static TwoWayPageTable Table(params int[] pages)
    {
        var table = new TwoWayPageTable();
        foreach (var page in pages) table.Add(page);
        return table;
    }

    private static ModelConfig Config(Shape shape) => new()
    {
        Name = "test", Architecture = "llama", Layers = 2, HiddenSize = 64, FeedForwardSize = 64, QueryHeads = shape.Heads, KvHeads = shape.KvHeads,
        HeadDim = shape.Dim, VocabularySize = 8, ContextLength = 1024, RmsEpsilon = 1e-5f,
        Rope = new(shape.Style, [.. Enumerable.Range(0, shape.Dim / 2).Select(i => Math.Pow(10_000, -2.0 * i / shape.Dim))], shape.Magnitude),
    };
}
