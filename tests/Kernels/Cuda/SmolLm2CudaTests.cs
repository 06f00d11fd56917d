using LServe.Cpu;
using LServe.Cuda;
using LServe.Inference;
using LServe.Model;
using LServe.Tests.Kernels.Cpu;
using LServe.Tests.Support;

namespace LServe.Tests.Kernels.Cuda;

/// <summary>The bundled model on the GPU: against an implementation that isn't ours, against the CPU, and against itself in other company.</summary>
public sealed class SmolLm2CudaTests : IDisposable
{
    private const double LogitTolerance = 0.3, MeanDivergence = 1e-4, SameBest = 0.99;
    private const float SafeMargin = 0.3f;
    private const int Pages = 400;

    private readonly ModelFile _model = ModelFile.Open(RepositoryFiles.BundledModel);

    public static TheoryData<string> Cases => [.. SmolLm2Case.All.Select(c => c.Name)];

    [GpuTheory, MemberData(nameof(Cases))]
    public void Stays_near_the_reference(string name)
    {
        var expected = SmolLm2Case.Named(name);
        using var run = Run();
        var table = run.Table(expected.Prompt.Length + expected.Greedy.Length);
        var logits = run.Prefill(table, expected.Prompt, LogitChoice.Last)[0];
        Assert.InRange(LogitMath.LargestDifference(expected.LastLogits, logits), 0, LogitTolerance);
        for (var i = 0; i < expected.Greedy.Length && expected.Margins[i] >= SafeMargin; i++)
        {
            Assert.Equal(expected.Greedy[i], LogitMath.Best(logits));
            logits = run.Decode(table, expected.Prompt.Length + i, expected.Greedy[i]);
        }
    }

    [GpuFact]
    public void Diverges_from_the_cpu_by_no_more_than_binary16_does()
    {
        var prompt = SmolLm2Case.Named("raw-licence-1500").Prompt;
        using var cpu = new ModelRun(new CpuBackend(new CpuOptions()), _model.Config, _model.Weights, KvPrecision.F32, Pages);
        using var gpu = Run();
        var expected = cpu.Prefill(cpu.Table(prompt.Length), prompt, LogitChoice.All);
        Compare(expected, gpu.Prefill(gpu.Table(prompt.Length), prompt, LogitChoice.All));
        var table = gpu.Table(prompt.Length);
        Compare(expected, [.. prompt.Select((token, position) => gpu.Decode(table, position, token))]);
    }

    [GpuFact]
    public void A_sequence_alone_and_among_ragged_others_gives_the_same_bits()
    {
        const int Sequences = 32, Steps = 6;
        var text = SmolLm2Case.Named("raw-licence-1500").Prompt;
        var random = new Random(11);
        var lengths = Enumerable.Range(0, Sequences).Select(i => i == 0 ? 1 : random.Next(1, 400)).ToArray();
        var known = lengths.Select(length => text.Skip(length).Take(Steps).ToArray()).ToArray();
        using var run = Run();
        var tables = lengths.Select(length => run.Table(length + Steps)).ToArray();
        for (var i = 0; i < Sequences; i++) run.Prefill(tables[i], text[..lengths[i]], LogitChoice.None, chunk: 37);
        var together = Enumerable.Range(0, Steps).Select(step => run.Step(plan =>
        {
            for (var i = 0; i < Sequences; i++) plan.AddDecode(tables[i], lengths[i] + step, known[i][step], logits: true);
        })).ToArray();
        run.ForgetTables();
        for (var i = 0; i < Sequences; i++)
        {
            var table = run.Table(lengths[i] + Steps);
            run.Prefill(table, text[..lengths[i]], LogitChoice.None);
            for (var step = 0; step < Steps; step++) Assert.Equal(together[step][i], run.Decode(table, lengths[i] + step, known[i][step]));
        }
    }

    [GpuFact]
    public void Captured_steps_give_the_bits_of_issued_ones()
    {
        var prompt = SmolLm2Case.Named("raw-story").Prompt;
        using var captured = Run();
        using var issued = Run(graphs: false);
        Assert.Equal(Continue(issued, prompt), Continue(captured, prompt));
    }

    private static float[][] Continue(ModelRun run, int[] prompt)
    {
        var table = run.Table(prompt.Length + 150);
        run.Prefill(table, prompt, LogitChoice.None);
        return [.. Enumerable.Range(0, 150).Select(i => run.Decode(table, prompt.Length + i, prompt[i % prompt.Length]))];
    }

    private static void Compare(float[][] expected, float[][] actual)
    {
        var divergence = expected.Zip(actual, LogitMath.Divergence).Average();
        var same = expected.Zip(actual, (e, a) => LogitMath.Best(e) == LogitMath.Best(a) ? 1.0 : 0).Average();
        Assert.True(divergence <= MeanDivergence && same >= SameBest, $"mean KL {divergence:g3}, same best token {same:p2}");
    }

    private ModelRun Run(bool graphs = true) => new(CudaBackend.Open(new() { Graphs = graphs }), _model.Config, _model.Weights, KvPrecision.F16, Pages);

    public void Dispose() => _model.Dispose();
}
