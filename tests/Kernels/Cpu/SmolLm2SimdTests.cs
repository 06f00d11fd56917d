using LServe.Cpu;
using LServe.Inference;
using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Kernels.Cpu;

/// <summary>The bundled model on the vector kernels of this machine, against an implementation that isn't ours.</summary>
public sealed class SmolLm2SimdTests : IDisposable
{
    private const double Float32KvTolerance = 5e-3, HalfKvTolerance = 0.1, HalfKvCommonTolerance = 0.05, HalfKvCommonShare = 0.999;
    private const float SafeMargin = 0.1f;

    private readonly ModelFile _model = ModelFile.Open(RepositoryFiles.BundledModel);

    public static TheoryData<string> Cases => [.. SmolLm2Case.All.Select(c => c.Name)];

    [Theory, MemberData(nameof(Cases))]
    public void Float32_pages_give_the_reference_s_logits(string name)
    {
        var expected = SmolLm2Case.Named(name);
        using var run = Run(KvPrecision.F32);
        var table = run.Table(expected.Prompt.Length + expected.Greedy.Length);
        var rows = run.Prefill(table, expected.Prompt, LogitChoice.All);
        Assert.InRange(LogitMath.LargestDifference(expected.LastLogits, rows[^1]), 0, Float32KvTolerance);
        foreach (var (position, top) in expected.Tops)
            Assert.All(top, pair => Assert.InRange(Math.Abs(rows[position][pair.Id] - pair.Logit), 0, Float32KvTolerance));
        if (expected.MeanNll is not { } mean) return;
        var nll = Enumerable.Range(0, rows.Length - 1).Average(i => LogitMath.NegativeLogLikelihood(rows[i], expected.Prompt[i + 1]));
        Assert.InRange(Math.Abs(nll - mean), 0, 1e-4);
    }

    [Theory, MemberData(nameof(Cases))]
    public void Half_pages_stay_near_the_reference(string name)
    {
        var expected = SmolLm2Case.Named(name);
        using var run = Run(KvPrecision.F16);
        var table = run.Table(expected.Prompt.Length + expected.Greedy.Length);
        var logits = run.Prefill(table, expected.Prompt, LogitChoice.Last)[0];
        var differences = expected.LastLogits.Zip(logits, (e, l) => Math.Abs(e - l)).ToArray();
        Assert.InRange(differences.Max(), 0, HalfKvTolerance);
        Assert.True(differences.Count(d => d <= HalfKvCommonTolerance) >= HalfKvCommonShare * differences.Length, "too many logits are off by more than 0.05");
        for (var i = 0; i < expected.Greedy.Length && expected.Margins[i] >= SafeMargin; i++)
        {
            Assert.Equal(expected.Greedy[i], LogitMath.Best(logits));
            logits = run.Decode(table, expected.Prompt.Length + i, expected.Greedy[i]);
        }
    }

    private ModelRun Run(KvPrecision precision) => new(new CpuBackend(new CpuOptions()), _model.Config, _model.Weights, precision, 40);

    public void Dispose() => _model.Dispose();
}
