using LServe.Cpu;
using LServe.Inference;
using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Kernels.Cpu;

/// <summary>
/// What 16-bit pages and 8-bit activations cost on 1,500 tokens of prose: against float32 throughout, which
/// <see cref="SmolLm2SimdTests"/> holds to an implementation that isn't ours.
/// </summary>
public sealed class SmolLm2ActivationTests : IDisposable
{
    private const int Chunk = 128;

    private readonly ModelFile _model = ModelFile.Open(RepositoryFiles.BundledModel);
    private readonly SmolLm2Case _case = SmolLm2Case.Named("raw-licence-1500");

    [Fact]
    public void Float_activations_lose_nothing_worth_naming()
    {
        var price = Measure(Activations.Float32);
        Assert.InRange(price.Divergence, 0, 1e-5);
        Assert.InRange(price.Agreement, 0.999, 1);
        Assert.InRange(price.NllChange, 0, 1e-3);
    }

    [Fact]
    public void Int8_activations_cost_what_they_may()
    {
        var price = Measure(Activations.Int8);
        Assert.InRange(price.Divergence, 0, 5e-3);
        Assert.InRange(price.Agreement, 0.96, 1);
        Assert.InRange(price.NllChange, 0, 5e-3);
    }

    /// <param name="Divergence">Mean Kullback–Leibler divergence from float32, in nats.</param>
    /// <param name="Agreement">Share of positions with the same likeliest token.</param>
    /// <param name="NllChange">Of the mean negative log-likelihood from the reference's, relative.</param>
    private sealed record Price(double Divergence, double Agreement, double NllChange);

    private Price Measure(Activations activations)
    {
        using ModelRun truth = Run(Activations.Float32, KvPrecision.F32), run = Run(activations, KvPrecision.F16);
        var (prompt, trueTable, table) = (_case.Prompt, truth.Table(_case.Prompt.Length), run.Table(_case.Prompt.Length));
        double divergence = 0, nll = 0;
        var same = 0;
        for (var at = 0; at < prompt.Length; at += Chunk)
        {
            var count = Math.Min(Chunk, prompt.Length - at);
            var expected = truth.Step(plan => plan.AddPrefill(trueTable, at, prompt.AsSpan(at, count), LogitChoice.All));
            var actual = run.Step(plan => plan.AddPrefill(table, at, prompt.AsSpan(at, count), LogitChoice.All));
            for (var i = 0; i < count; i++)
            {
                divergence += LogitMath.Divergence(expected[i], actual[i]);
                if (LogitMath.Best(expected[i]) == LogitMath.Best(actual[i])) same++;
                if (at + i + 1 < prompt.Length) nll += LogitMath.NegativeLogLikelihood(actual[i], prompt[at + i + 1]);
            }
        }
        var mean = nll / (prompt.Length - 1);
        return new(divergence / prompt.Length, (double)same / prompt.Length, Math.Abs(mean / _case.MeanNll!.Value - 1));
    }

    private ModelRun Run(Activations activations, KvPrecision precision) =>
        new(new CpuBackend(new CpuOptions { Activations = activations }), _model.Config, _model.Weights, precision, 24);

    public void Dispose() => _model.Dispose();
}
