using System.Globalization;
using LServe.Contracts;
using LServe.Contracts.OpenAi;

namespace LServe.Api.Turns;

/// <summary>OpenAI's sampling fields as <see cref="SamplingOptions"/>, not yet held to their ranges.</summary>
internal static class SamplingReader
{
    public static SamplingOptions Read(GenerationRequest request)
    {
        if (request.N is { } n and not 1)
            throw LServeException.Invalid($"Only one answer per request is supported: 'n' must be 1; it is {n}.", "n");
        return new SamplingOptions
        {
            Temperature = (float)(request.Temperature ?? 1),
            TopP = (float)(request.TopP ?? 1),
            // Some clients write "all" as -1.
            TopK = request.TopK is null or -1 ? 0 : request.TopK.Value,
            MinP = (float)(request.MinP ?? 0),
            RepetitionPenalty = (float)(request.RepetitionPenalty ?? 1),
            PresencePenalty = (float)(request.PresencePenalty ?? 0),
            FrequencyPenalty = (float)(request.FrequencyPenalty ?? 0),
            LogitBias = ReadLogitBias(request.LogitBias),
            Seed = request.Seed,
            Stop = request.Stop is { Count: > 0 } stop ? stop : null,
            IgnoreEnd = request.IgnoreEos ?? false,
        };
    }

    private static Dictionary<int, float>? ReadLogitBias(Dictionary<string, double>? sent)
    {
        if (sent is null or { Count: 0 })
            return null;
        var bias = new Dictionary<int, float>(sent.Count);
        foreach (var (token, value) in sent)
            bias[ReadToken(token)] = (float)value;
        return bias;
    }

    private static int ReadToken(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var token)
            ? token
            : throw LServeException.Invalid($"The keys of 'logit_bias' are token ids; '{text}' is none.", "logit_bias");
}
