using LServe.Contracts;
using LServe.Inference;

namespace LServe.Sessions;

/// <summary>Holds sampling options to the ranges that <see cref="SamplingOptions"/> documents, and turns them into the engine's.</summary>
public static class SamplingRules
{
    /// <exception cref="LServeException">A value out of its range; names the field.</exception>
    internal static SamplingParams ToParams(SamplingOptions o, int vocabularySize)
    {
        Check(o);
        foreach (var token in o.LogitBias?.Keys ?? [])
            Require(token < vocabularySize, "logit_bias", $"keyed by token ids below {vocabularySize}", token);
        return new()
        {
            Temperature = o.Temperature,
            TopK = o.TopK,
            TopP = o.TopP,
            MinP = o.MinP,
            RepetitionPenalty = o.RepetitionPenalty,
            PresencePenalty = o.PresencePenalty,
            FrequencyPenalty = o.FrequencyPenalty,
            LogitBias = o.LogitBias is null ? [] : [.. o.LogitBias.OrderBy(b => b.Key)],
            Seed = (ulong)(o.Seed ?? Random.Shared.NextInt64()),
            TopLogprobs = o.Logprobs ? o.TopLogprobs : -1,
            IgnoreEnd = o.IgnoreEnd,
        };
    }

    /// <summary>All checks that need no model, for a front that calls fields by names of its own.</summary>
    /// <param name="maxTokens">What the request calls its token limit.</param>
    /// <param name="topLogprobs">What the request calls the number of alternatives.</param>
    /// <exception cref="LServeException">A value out of its range; <see cref="ErrorInfo.Param"/> names the field.</exception>
    public static SamplingOptions Check(SamplingOptions o, string maxTokens = "max_tokens", string topLogprobs = "top_logprobs")
    {
        // Comparisons are written so that NaN is refused too.
        Require(o.Temperature is >= 0 and <= 2, "temperature", "from 0 to 2", o.Temperature);
        Require(o.TopK >= 0, "top_k", "at least 0", o.TopK);
        Require(o.TopP is > 0 and <= 1, "top_p", "above 0 and at most 1", o.TopP);
        Require(o.MinP is >= 0 and < 1, "min_p", "from 0 to below 1", o.MinP);
        Require(o.RepetitionPenalty is > 0 and <= 10, "repetition_penalty", "above 0 and at most 10", o.RepetitionPenalty);
        Require(o.PresencePenalty is >= -2 and <= 2, "presence_penalty", "from -2 to 2", o.PresencePenalty);
        Require(o.FrequencyPenalty is >= -2 and <= 2, "frequency_penalty", "from -2 to 2", o.FrequencyPenalty);
        Require(o.MaxTokens is null or >= 1, maxTokens, "at least 1", o.MaxTokens ?? 0);
        Require(o.TopLogprobs is >= 0 and <= SamplingOptions.MaxTopLogprobs, topLogprobs, $"from 0 to {SamplingOptions.MaxTopLogprobs}", o.TopLogprobs);
        if (o.TopLogprobs > 0 && !o.Logprobs) throw LServeException.Invalid($"'{topLogprobs}' needs 'logprobs': true.", topLogprobs);
        CheckStops(o.Stop);
        CheckBias(o.LogitBias);
        return o;
    }

    private static void CheckStops(IReadOnlyList<string>? stops)
    {
        if (stops is null) return;
        if (stops.Count > SamplingOptions.MaxStopStrings)
            throw LServeException.Invalid($"'stop' may have {SamplingOptions.MaxStopStrings} texts; it has {stops.Count}.", "stop");
        if (stops.Any(text => text is null or { Length: 0 or > SamplingOptions.MaxStopLength }))
            throw LServeException.Invalid($"The texts of 'stop' have 1 to {SamplingOptions.MaxStopLength} characters.", "stop");
    }

    private static void CheckBias(IReadOnlyDictionary<int, float>? bias)
    {
        if (bias is null) return;
        if (bias.Count > SamplingOptions.MaxLogitBiases)
            throw LServeException.Invalid($"'logit_bias' may have {SamplingOptions.MaxLogitBiases} entries; it has {bias.Count}.", "logit_bias");
        foreach (var (token, value) in bias)
        {
            Require(token >= 0, "logit_bias", "keyed by token ids, which are not negative", token);
            Require(value is >= -100 and <= 100, "logit_bias", "from -100 to 100", value);
        }
    }

    private static void Require<T>(bool holds, string field, string range, T value) where T : IFormattable
    {
        if (!holds) throw LServeException.Invalid(FormattableString.Invariant($"'{field}' must be {range}; it is {value}."), field);
    }
}
