using LServe.Cpu;
using LServe.Inference;
using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Kernels.Cpu;

/// <summary>
/// The bundled model on the reference backend, against an implementation that isn't ours. The shortest prompts and the first steps of
/// their continuations run always; all nine whole cases take many minutes: <c>dotnet test tests/Kernels -e LSERVE_SLOW_TESTS=1 --filter Whole</c>.
/// </summary>
public class SmolLm2ReferenceBackendTests
{
    private const double LogitTolerance = 5e-4, NllTolerance = 1e-5;
    private const int ShortPrompt = 40, ShortContinuation = 3;

    public static TheoryData<string> ShortCases => [.. SmolLm2Case.All.Where(c => c.Prompt.Length <= ShortPrompt).Select(c => c.Name)];
    public static TheoryData<string> AllCases => [.. SmolLm2Case.All.Select(c => c.Name)];

    [Theory, MemberData(nameof(ShortCases))]
    public void Short_prompts_give_the_reference_s_logits(string name) => Check(SmolLm2Case.Named(name), ShortContinuation);

    [SlowTheory, MemberData(nameof(AllCases))]
    public void Whole_cases_give_the_reference_s_logits(string name) => Check(SmolLm2Case.Named(name), int.MaxValue);

    private static void Check(SmolLm2Case expected, int steps)
    {
        using var model = ModelFile.Open(RepositoryFiles.BundledModel);
        using var run = new ModelRun(new CpuReferenceBackend(), model.Config, model.Weights, KvPrecision.F32, 40);
        var table = run.Table(expected.Prompt.Length + expected.Greedy.Length);
        var rows = run.Prefill(table, expected.Prompt, LogitChoice.All);
        Assert.InRange(LogitMath.LargestDifference(expected.LastLogits, rows[^1]), 0, LogitTolerance);
        foreach (var (position, top) in expected.Tops)
            Assert.All(top, pair => Assert.InRange(Math.Abs(rows[position][pair.Id] - pair.Logit), 0, LogitTolerance));
        if (expected.MeanNll is { } mean)
        {
            var nll = Enumerable.Range(0, rows.Length - 1).Average(i => LogitMath.NegativeLogLikelihood(rows[i], expected.Prompt[i + 1]));
            Assert.InRange(Math.Abs(nll - mean), 0, NllTolerance);
        }
        var logits = rows[^1];
        for (var i = 0; i < Math.Min(steps, expected.Greedy.Length); i++)
        {
            var token = LogitMath.Best(logits);
            Assert.Equal(expected.Greedy[i], token);
            logits = run.Decode(table, expected.Prompt.Length + i, token);
        }
    }
}
