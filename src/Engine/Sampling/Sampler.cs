using System.Numerics.Tensors;

namespace LServe.Inference;

/// <summary>
/// Draws a token from one row of logits: bias and penalties, then greedy, or temperature, top-k, top-p, min-p and a draw. Ties go to
/// the lower id. Works on buffers of its own; one per step loop.
/// </summary>
public sealed class Sampler(int vocabularySize)
{
    private readonly float[] _logits = new float[vocabularySize];
    private readonly float[] _weights = new float[vocabularySize];
    private readonly Candidates _candidates = new(vocabularySize);

    /// <param name="logits">[vocabulary]; not changed.</param>
    /// <param name="context">Tokens of prompt and answer so far, for the repetition penalty.</param>
    /// <param name="counts">Tokens drawn in this turn, for presence and frequency penalties; null: none.</param>
    /// <param name="draw">Number of this draw within the turn.</param>
    public SampledToken Sample(
        ReadOnlySpan<float> logits, SamplingParams options, ReadOnlySpan<int> context, IReadOnlyDictionary<int, int>? counts, int draw)
    {
        var adjusted = options.ChangesLogits ? Adjust(logits, options, context, counts) : logits;
        var token = options.Temperature <= 0 ? TensorPrimitives.IndexOfMax(adjusted) : Draw(adjusted, options, draw);
        return options.TopLogprobs < 0
            ? new(token, float.NaN, null)
            : WithLogprobs(logits, token, options.TopLogprobs);
    }

    private ReadOnlySpan<float> Adjust(ReadOnlySpan<float> logits, SamplingParams options, ReadOnlySpan<int> context, IReadOnlyDictionary<int, int>? counts)
    {
        logits.CopyTo(_logits);
        if (options.RepetitionPenalty != 1) PenaliseRepetition(logits, context, options.RepetitionPenalty);
        if (counts is not null)
            foreach (var (token, count) in counts)
                _logits[token] -= options.PresencePenalty + options.FrequencyPenalty * count;
        foreach (var (token, bias) in options.LogitBias) _logits[token] += bias;
        return _logits;
    }

    /// <summary>Keskar et al. 2019 (CTRL), section 4.1: once per token, however often it occurs; so it starts from the original logit.</summary>
    private void PenaliseRepetition(ReadOnlySpan<float> logits, ReadOnlySpan<int> context, float penalty)
    {
        foreach (var token in context)
            _logits[token] = logits[token] > 0 ? logits[token] / penalty : logits[token] * penalty;
    }

    private int Draw(ReadOnlySpan<float> logits, SamplingParams options, int draw)
    {
        var u = CounterRandom.Uniform(options.Seed, (ulong)draw);
        var sum = Softmax(logits, options.Temperature);
        return options is { TopK: 0, TopP: >= 1, MinP: <= 0 }
            ? Pick(_weights, u * sum)
            : _candidates.Pick(_weights, sum, options, u);
    }

    /// <summary>Unnormalised weights exp((l − max) / T), of which the largest is 1; returns their sum.</summary>
    private double Softmax(ReadOnlySpan<float> logits, float temperature)
    {
        TensorPrimitives.Subtract(logits, TensorPrimitives.Max(logits), _weights);
        TensorPrimitives.Divide(_weights, temperature, _weights);
        TensorPrimitives.Exp(_weights, _weights);
        var sum = 0.0;
        foreach (var w in _weights) sum += w;
        return sum;
    }

    private static int Pick(ReadOnlySpan<float> weights, double target)
    {
        var last = 0;
        for (var i = 0; i < weights.Length; i++)
        {
            if (weights[i] <= 0) continue;
            last = i;
            if ((target -= weights[i]) < 0) return i;
        }
        return last;
    }

    private SampledToken WithLogprobs(ReadOnlySpan<float> logits, int token, int top)
    {
        var normaliser = TensorPrimitives.Max(logits) + Math.Log(Softmax(logits, 1));
        var alternatives = Candidates.Largest(logits, top);
        for (var i = 0; i < alternatives.Length; i++)
            alternatives[i] = alternatives[i] with { Logprob = (float)(alternatives[i].Logprob - normaliser) };
        return new(token, (float)(logits[token] - normaliser), alternatives);
    }
}
