using LServe.Contracts;
using LServe.Inference;

namespace LServe.Sessions;

/// <summary>Checks sampling options and turns them into the engine's. Ranges are those of <see cref="SamplingOptions"/>.</summary>
public static class SamplingRules
{
    /// <exception cref="LServeException">A value out of its range; names the field.</exception>
    public static SamplingParams ToParams(SamplingOptions o, int vocabularySize)
    {
        Require(o.Temperature is >= 0 and <= 2, "temperature", o.Temperature, "0 to 2");
        Require(o.TopK >= 0, "top_k", o.TopK, "0 (off) or more");
        Require(o.TopP is > 0 and <= 1, "top_p", o.TopP, "above 0, up to 1");
        Require(o.MinP is >= 0 and < 1, "min_p", o.MinP, "0 to below 1");
        Require(o.RepetitionPenalty is > 0 and <= 10, "repetition_penalty", o.RepetitionPenalty, "above 0, up to 10");
        Require(o.PresencePenalty is >= -2 and <= 2, "presence_penalty", o.PresencePenalty, "-2 to 2");
        Require(o.FrequencyPenalty is >= -2 and <= 2, "frequency_penalty", o.FrequencyPenalty, "-2 to 2");
        Require(o.MaxTokens is null or >= 1, "max_tokens", o.MaxTokens ?? 0, "1 or more");
        Require(o.TopLogprobs is >= 0 and <= SamplingOptions.MaxTopLogprobs, "top_logprobs", o.TopLogprobs, $"0 to {SamplingOptions.MaxTopLogprobs}");
        if (o.TopLogprobs > 0 && !o.Logprobs) throw LServeException.Invalid("top_logprobs needs logprobs to be true.", "top_logprobs");
        CheckStops(o.Stop);
        CheckBias(o.LogitBias, vocabularySize);
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

    private static void CheckStops(IReadOnlyList<string>? stops)
    {
        if (stops is null) return;
        Require(stops.Count <= SamplingOptions.MaxStopStrings, "stop", stops.Count, $"at most {SamplingOptions.MaxStopStrings} strings");
        foreach (var stop in stops)
            if (string.IsNullOrEmpty(stop))
                throw LServeException.Invalid("A stop string can't be empty.", "stop");
    }

    private static void CheckBias(IReadOnlyDictionary<int, float>? bias, int vocabularySize)
    {
        if (bias is null) return;
        foreach (var (token, value) in bias)
        {
            Require(token >= 0 && token < vocabularySize, "logit_bias", token, $"token ids 0 to {vocabularySize - 1}");
            Require(value is >= -100 and <= 100, "logit_bias", value, "-100 to 100");
        }
    }

    private static void Require(bool holds, string param, double value, string allowed)
    {
        if (!holds) throw LServeException.Invalid($"{param} is {value}; it must be {allowed}.", param);
    }
}
