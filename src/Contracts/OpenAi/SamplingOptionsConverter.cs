using System.Text.Json;
using System.Text.Json.Serialization;

namespace LServe.Contracts.OpenAi;

/// <summary>
/// Reads <see cref="SamplingOptions"/> so that absent fields keep their defaults, which generated readers of init-only properties
/// would set to zero; writes only what differs from the defaults.
/// </summary>
public sealed class SamplingOptionsConverter : JsonConverter<SamplingOptions>
{
    private static readonly SamplingOptions Defaults = new();

    public override SamplingOptions Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
    {
        var sent = JsonSerializer.Deserialize(ref reader, WireJson.Default.SamplingFields) ?? new();
        return new SamplingOptions
        {
            Temperature = sent.Temperature ?? Defaults.Temperature,
            TopK = sent.TopK ?? Defaults.TopK,
            TopP = sent.TopP ?? Defaults.TopP,
            MinP = sent.MinP ?? Defaults.MinP,
            RepetitionPenalty = sent.RepetitionPenalty ?? Defaults.RepetitionPenalty,
            PresencePenalty = sent.PresencePenalty ?? Defaults.PresencePenalty,
            FrequencyPenalty = sent.FrequencyPenalty ?? Defaults.FrequencyPenalty,
            LogitBias = sent.LogitBias,
            Seed = sent.Seed,
            Stop = sent.Stop,
            MaxTokens = sent.MaxTokens,
            Logprobs = sent.Logprobs ?? false,
            TopLogprobs = sent.TopLogprobs ?? 0,
            IgnoreEnd = sent.IgnoreEnd ?? false,
        };
    }

    public override void Write(Utf8JsonWriter writer, SamplingOptions value, JsonSerializerOptions options)
    {
        var fields = new SamplingFields
        {
            Temperature = Changed(value.Temperature, Defaults.Temperature),
            TopK = Changed(value.TopK, Defaults.TopK),
            TopP = Changed(value.TopP, Defaults.TopP),
            MinP = Changed(value.MinP, Defaults.MinP),
            RepetitionPenalty = Changed(value.RepetitionPenalty, Defaults.RepetitionPenalty),
            PresencePenalty = Changed(value.PresencePenalty, Defaults.PresencePenalty),
            FrequencyPenalty = Changed(value.FrequencyPenalty, Defaults.FrequencyPenalty),
            LogitBias = value.LogitBias,
            Seed = value.Seed,
            Stop = value.Stop,
            MaxTokens = value.MaxTokens,
            Logprobs = Changed(value.Logprobs, false),
            TopLogprobs = Changed(value.TopLogprobs, 0),
            IgnoreEnd = Changed(value.IgnoreEnd, false),
        };
        JsonSerializer.Serialize(writer, fields, WireJson.Default.SamplingFields);
    }

    private static T? Changed<T>(T value, T usual) where T : struct, IEquatable<T> => value.Equals(usual) ? null : value;
}

/// <summary><see cref="SamplingOptions"/> on the wire; null means "not sent".</summary>
public sealed record SamplingFields
{
    public float? Temperature { get; init; }
    public int? TopK { get; init; }
    public float? TopP { get; init; }
    public float? MinP { get; init; }
    public float? RepetitionPenalty { get; init; }
    public float? PresencePenalty { get; init; }
    public float? FrequencyPenalty { get; init; }
    public IReadOnlyDictionary<int, float>? LogitBias { get; init; }
    public long? Seed { get; init; }
    public IReadOnlyList<string>? Stop { get; init; }
    public int? MaxTokens { get; init; }
    public bool? Logprobs { get; init; }
    public int? TopLogprobs { get; init; }
    public bool? IgnoreEnd { get; init; }
}
