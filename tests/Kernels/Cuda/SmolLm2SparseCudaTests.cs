using LServe.Cpu;
using LServe.Inference;
using LServe.Model;
using LServe.Tests.Kernels.Cpu;
using LServe.Tests.Support;
using Xunit.Abstractions;

namespace LServe.Tests.Kernels.Cuda;

/// <summary>The bundled model with LServe's attention on the GPU: against the CPU, and against itself in other company.</summary>
public sealed class SmolLm2SparseCudaTests(ITestOutputHelper output) : IDisposable
{
    private const int Pages = 400, Prompt = 1100, Steps = 150;

    private static readonly LServeOptions Options = new() { Sink = 64, Local = 256, Budget = 512, Candidates = 2, SketchBits = 4, PrefillThreshold = 512, PrefillBudget = 384 };
    private static readonly int[] Text = SmolLm2Case.Named("raw-licence-1500").Prompt;

    private readonly ModelFile _model = ModelFile.Open(RepositoryFiles.BundledModel);
    private readonly HeadPattern _pattern = HeadPatternFolder.Open(Path.Combine(RepositoryFiles.Root, "assets", "head-patterns", "SmolLM2-135M-Instruct"));

    /// <summary>
    /// Mean divergence allowed, and the lead from which on the best token is the same. Rounding moves a number to the next code and a page of nearly
    /// equal score into a choice: the CPU's own vector widths, 512 and 256 bits, differ by 9e-7, 2e-4 (all), 5e-3 and 5e-2 in these settings.
    /// </summary>
    public static TheoryData<KvPrecision, SelectionPolicy, double, float> Settings => new()
    {
        { KvPrecision.F16, SelectionPolicy.TwoStage, 1e-4, 0.3f }, { KvPrecision.Int8, SelectionPolicy.All, 1e-3, 0.7f }, { KvPrecision.Int8, SelectionPolicy.TwoStage, 2e-3, 0.7f },
        { KvPrecision.K8V4, SelectionPolicy.Quest, 1.5e-2, 1.5f }, { KvPrecision.Int4, SelectionPolicy.Moments, 0.15, 3f },
    };

    [GpuTheory, MemberData(nameof(Settings))]
    public void Stays_near_the_cpu(KvPrecision precision, SelectionPolicy policy, double most, float lead)
    {
        using var cpu = Run(new CpuBackend(new CpuOptions()), precision, policy);
        using var gpu = Run(CudaTestBackend.Open(), precision, policy);
        float[][] expected = Continue(cpu, Prompt, Steps), actual = Continue(gpu, Prompt, Steps);
        var divergence = expected.Zip(actual, LogitMath.Divergence).ToArray();
        var same = expected.Zip(actual, (e, a) => LogitMath.Best(e) == LogitMath.Best(a) ? 1.0 : 0).Average();
        output.WriteLine($"mean KL {divergence.Average():g3}, most {divergence.Max():g3}, same best {same:p1}");
        Assert.InRange(divergence.Average(), 0, most);
        for (var i = 0; i < expected.Length; i++)
            if (Margin(expected[i]) >= lead) Assert.Equal(LogitMath.Best(expected[i]), LogitMath.Best(actual[i]));
    }

    [GpuFact]
    public void A_sequence_alone_and_among_ragged_others_gives_the_same_bits()
    {
        const int Sequences = 32, Few = 6;
        var random = new Random(11);
        var lengths = Enumerable.Range(0, Sequences).Select(i => i == 0 ? 1 : random.Next(1, 700)).ToArray();
        using var run = Run(CudaTestBackend.Open(), KvPrecision.K8V4, SelectionPolicy.TwoStage);
        // Every fourth sequence is dense, in the same launches.
        var tables = lengths.Select((length, i) => (Table: run.Table(length + Few), Selection: StateOf(run, i))).ToArray();
        for (var i = 0; i < Sequences; i++) run.Prefill(tables[i].Table, Text[..lengths[i]], LogitChoice.None, chunk: 128, tables[i].Selection);
        var together = Enumerable.Range(0, Few).Select(step => run.Step(plan =>
        {
            for (var i = 0; i < Sequences; i++) Decode(plan, tables[i], lengths[i], step);
        })).ToArray();
        run.ForgetTables();
        for (var i = 0; i < Sequences; i++)
        {
            var alone = (Table: run.Table(lengths[i] + Few), Selection: StateOf(run, i));
            run.Prefill(alone.Table, Text[..lengths[i]], LogitChoice.None, selection: alone.Selection);
            for (var step = 0; step < Few; step++) Assert.Equal(together[step][i], run.Step(plan => Decode(plan, alone, lengths[i], step))[0]);
        }
    }

    [GpuFact]
    public void Captured_steps_give_the_bits_of_issued_ones()
    {
        using var captured = Run(CudaTestBackend.Open(), KvPrecision.Int8, SelectionPolicy.TwoStage);
        using var issued = Run(CudaTestBackend.Open(graphs: false), KvPrecision.Int8, SelectionPolicy.TwoStage);
        Assert.Equal(Continue(issued, 600, 150), Continue(captured, 600, 150));
    }

    [GpuTheory, InlineData(AttentionMode.LServe), InlineData(AttentionMode.Dense)]
    public async Task A_sequence_that_was_moved_out_and_back_goes_on_with_the_same_tokens(AttentionMode mode)
    {
        using var engine = new Engine(CudaTestBackend.Open(), _model.Config, _model.Weights, [], new()
        {
            ContextLength = 2048, KvPrecision = KvPrecision.K8V4, LServe = Options with { Local = 128 }, Pattern = _pattern,
        });
        Sequence undisturbed = new("a", mode), moved = new("b", mode);
        foreach (var sequence in new[] { undisturbed, moved }) await Turn(engine, sequence, Text[..700]);
        var snapshot = (await engine.ExportAsync(moved, new Dictionary<KvPageId, int>()))!;
        await engine.ReleaseAsync(moved);
        await Turn(engine, new("c"), Text[..1200]);
        var import = (await engine.BeginImportAsync(moved, snapshot.Shape, snapshot.Selection))!;
        Assert.True(await engine.ImportAsync(import, snapshot.Parts));
        await engine.EndImportAsync(import, snapshot.Shape.CachedLength);
        Assert.Equal(await Turn(engine, undisturbed, Text[700..720]), await Turn(engine, moved, Text[700..720]));
    }

    private static async Task<int[]> Turn(Engine engine, Sequence sequence, int[] prompt)
    {
        var tokens = new List<int>();
        var generation = engine.Generate(sequence, prompt, new() { Temperature = 0 }, 40);
        while (await generation.WaitAsync())
            while (generation.TryRead(out var happened))
            {
                Assert.Null(happened.Error);
                if (happened.Kind == TokenEventKind.Token) tokens.Add(happened.Token);
            }
        return [.. tokens];
    }

    private ModelRun Run(IBackend backend, KvPrecision precision, SelectionPolicy policy) =>
        new(backend, _model.Config, _model.Weights, precision, Pages, Options with { Policy = policy }, _pattern);

    private static SelectionState? StateOf(ModelRun run, int sequence) => sequence % 4 == 3 ? null : new(run.Geometry);

    private static void Decode(StepPlan plan, (TwoWayPageTable Table, SelectionState? Selection) sequence, int length, int step) =>
        plan.AddDecode(sequence.Table, length + step, Text[length + step], logits: true, sequence.Selection, Options.MustRenew(length + step, length));

    /// <summary>Logits of the text's own continuation, decoded.</summary>
    private static float[][] Continue(ModelRun run, int prompt, int steps)
    {
        var sequence = (Table: run.Table(prompt + steps), Selection: new SelectionState(run.Geometry));
        run.Prefill(sequence.Table, Text[..prompt], LogitChoice.None, selection: sequence.Selection);
        return [.. Enumerable.Range(0, steps).Select(step => run.Step(plan => Decode(plan, sequence, prompt, step))[0])];
    }

    private static float Margin(float[] logits)
    {
        float best = float.NegativeInfinity, second = float.NegativeInfinity;
        foreach (var x in logits) (best, second) = x > best ? (x, best) : (best, Math.Max(second, x));
        return best - second;
    }

    public void Dispose() => _model.Dispose();
}
