using LServe.Contracts;

namespace LServe.Api.Turns;

/// <summary>Holds <see cref="SamplingOptions"/> to their documented ranges.</summary>
internal static class SamplingLimits
{
    /// <summary>Entries: most that <c>logit_bias</c> may have.</summary>
    public const int MaxLogitBiases = 1_024;

    /// <summary>Characters: longest stop string.</summary>
    public const int MaxStopLength = 1_024;

    /// <param name="maxTokens">What the request calls its token limit.</param>
    /// <param name="topLogprobs">What the request calls the number of alternatives.</param>
    /// <exception cref="LServeException">A field is out of range; <see cref="ErrorInfo.Param"/> names it.</exception>
    public static SamplingOptions Check(SamplingOptions options, string maxTokens = "max_tokens", string topLogprobs = "top_logprobs")
    {
        Between("temperature", options.Temperature, 0, 2);
        Require(options.TopP is > 0 and <= 1, "top_p", "above 0 and at most 1", options.TopP);
        Between("top_k", options.TopK, 0, int.MaxValue);
        Require(options.MinP is >= 0 and < 1, "min_p", "from 0 to below 1", options.MinP);
        Require(options.RepetitionPenalty is > 0 and <= 10, "repetition_penalty", "above 0 and at most 10", options.RepetitionPenalty);
        Between("presence_penalty", options.PresencePenalty, -2, 2);
        Between("frequency_penalty", options.FrequencyPenalty, -2, 2);
        Between(maxTokens, options.MaxTokens ?? 1, 1, int.MaxValue);
        Between(topLogprobs, options.TopLogprobs, 0, SamplingOptions.MaxTopLogprobs);
        if (options.TopLogprobs > 0 && !options.Logprobs)
            throw LServeException.Invalid($"'{topLogprobs}' needs 'logprobs': true.", topLogprobs);
        CheckLogitBias(options.LogitBias);
        CheckStop(options.Stop);
        return options;
    }

    private static void CheckLogitBias(IReadOnlyDictionary<int, float>? bias)
    {
        if (bias is null)
            return;
        if (bias.Count > MaxLogitBiases)
            throw LServeException.Invalid($"'logit_bias' may have {MaxLogitBiases} entries; it has {bias.Count}.", "logit_bias");
        foreach (var (token, value) in bias)
        {
            Require(token >= 0, "logit_bias", "keyed by token ids, which are not negative", token);
            Between("logit_bias", value, -100, 100);
        }
    }

    private static void CheckStop(IReadOnlyList<string>? stop)
    {
        if (stop is null)
            return;
        if (stop.Count > SamplingOptions.MaxStopStrings)
            throw LServeException.Invalid($"'stop' may have {SamplingOptions.MaxStopStrings} texts; it has {stop.Count}.", "stop");
        if (stop.Any(text => text is null or { Length: 0 or > MaxStopLength }))
            throw LServeException.Invalid($"The texts of 'stop' have 1 to {MaxStopLength} characters.", "stop");
    }

    // Written so that NaN is refused too.
    private static void Between(string field, float value, float least, float most) =>
        Require(value >= least && value <= most, field, FormattableString.Invariant($"from {least} to {most}"), value);

    private static void Between(string field, int value, int least, int most) =>
        Require(value >= least && value <= most, field, most == int.MaxValue ? $"at least {least}" : $"from {least} to {most}", value);

    private static void Require<T>(bool met, string field, string range, T value) where T : IFormattable
    {
        if (!met)
            throw LServeException.Invalid(FormattableString.Invariant($"'{field}' must be {range}; it is {value}."), field);
    }
}
