using LServe.Inference;

namespace LServe.Tests.Unit.Inference;

public sealed class SamplerTests
{
    private const int Vocabulary = 50;

    private readonly Sampler _sampler = new(Vocabulary);

    [Fact]
    public void GreedyTakesTheLargestAndTiesGoToTheLowerId()
    {
        var logits = new float[Vocabulary];
        (logits[7], logits[9]) = (3, 3);
        Assert.Equal(7, Sample(logits, SamplingParams.Greedy));
    }

    /// <summary>Draws must follow the distribution that a plain double-precision computation of the same options gives.</summary>
    [Theory]
    [InlineData(1.0f, 0, 1.0f, 0.0f)]
    [InlineData(0.7f, 0, 1.0f, 0.0f)]
    [InlineData(1.3f, 5, 1.0f, 0.0f)]
    [InlineData(1.0f, 0, 0.8f, 0.0f)]
    [InlineData(1.0f, 12, 0.6f, 0.0f)]
    [InlineData(1.5f, 0, 1.0f, 0.1f)]
    [InlineData(1.0f, 20, 0.9f, 0.05f)]
    public void DrawsFollowTheNaiveDistribution(float temperature, int topK, float topP, float minP)
    {
        var logits = RandomLogits(3);
        var expected = Naive(logits, temperature, topK, topP, minP);
        var options = new SamplingParams { Temperature = temperature, TopK = topK, TopP = topP, MinP = minP, Seed = 12345 };
        const int draws = 40_000;
        var counts = new int[Vocabulary];
        for (var draw = 0; draw < draws; draw++) counts[Sample(logits, options, draw: draw)]++;
        for (var token = 0; token < Vocabulary; token++)
        {
            if (expected[token] == 0) Assert.Equal(0, counts[token]);
            var deviation = Math.Sqrt(expected[token] * (1 - expected[token]) / draws);
            Assert.InRange((double)counts[token] / draws, expected[token] - 5 * deviation, expected[token] + 5 * deviation);
        }
    }

    [Fact]
    public void TheSameSeedAndDrawGiveTheSameToken()
    {
        var logits = RandomLogits(4);
        var options = new SamplingParams { Seed = 9 };
        var first = Enumerable.Range(0, 100).Select(draw => Sample(logits, options, draw: draw)).ToArray();
        var again = Enumerable.Range(0, 100).Reverse().Select(draw => Sample(logits, options, draw: draw)).Reverse().ToArray();
        Assert.Equal(first, again);
        Assert.True(first.Distinct().Count() > 5);
    }

    [Fact]
    public void PenaltiesAndBiasMoveTheChoice()
    {
        var logits = new float[Vocabulary];
        (logits[1], logits[2], logits[3]) = (4.0f, 3.9f, -1);
        Assert.Equal(2, Sample(logits, SamplingParams.Greedy with { RepetitionPenalty = 1.5f }, context: [1, 1, 1]));
        Assert.Equal(2, Sample(logits, SamplingParams.Greedy with { PresencePenalty = 0.2f }, counts: new() { [1] = 1 }));
        Assert.Equal(2, Sample(logits, SamplingParams.Greedy with { FrequencyPenalty = 0.06f }, counts: new() { [1] = 2 }));
        Assert.Equal(1, Sample(logits, SamplingParams.Greedy with { FrequencyPenalty = 0.06f }, counts: new() { [1] = 1 }));
        Assert.Equal(3, Sample(logits, SamplingParams.Greedy with { LogitBias = [new(3, 100)] }));
    }

    [Fact]
    public void LogprobsAreOfTheModelsOwnDistribution()
    {
        var logits = RandomLogits(5);
        var options = SamplingParams.Greedy with { TopLogprobs = 4, LogitBias = [new(3, 100)] };
        var sampled = _sampler.Sample(logits, options, [], null, 0);
        var normaliser = Math.Log(logits.Sum(l => Math.Exp(l)));
        Assert.Equal(3, sampled.Token);
        Assert.Equal(logits[3] - normaliser, sampled.Logprob, 1e-5);
        var best = Enumerable.Range(0, Vocabulary).OrderByDescending(t => logits[t]).ThenBy(t => t).Take(4).ToArray();
        Assert.Equal(best, sampled.Top!.Select(t => t.Token));
        Assert.All(sampled.Top!, t => Assert.Equal(logits[t.Token] - normaliser, t.Logprob, 1e-5));
    }

    private int Sample(float[] logits, SamplingParams options, int[]? context = null, Dictionary<int, int>? counts = null, int draw = 0) =>
        _sampler.Sample(logits, options, context ?? [], counts, draw).Token;

    private static float[] RandomLogits(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Vocabulary).Select(_ => (float)(random.NextDouble() * 6 - 3))];
    }

    private static double[] Naive(float[] logits, double temperature, int topK, double topP, double minP)
    {
        var weights = logits.Select(l => Math.Exp(l / temperature)).ToArray();
        var order = Enumerable.Range(0, Vocabulary).OrderByDescending(t => weights[t]).ThenBy(t => t)
            .Where(t => weights[t] >= minP * weights.Max()).ToList();
        if (topK > 0) order = [.. order.Take(topK)];
        // Without top-k the nucleus is measured against all tokens, with it against those that are left.
        var total = topK > 0 ? order.Sum(t => weights[t]) : weights.Sum();
        var (kept, mass) = (new List<int>(), 0.0);
        foreach (var token in order)
        {
            if (mass >= topP * total) break;
            kept.Add(token);
            mass += weights[token];
        }
        var result = new double[Vocabulary];
        foreach (var token in kept) result[token] = weights[token] / mass;
        return result;
    }
}
