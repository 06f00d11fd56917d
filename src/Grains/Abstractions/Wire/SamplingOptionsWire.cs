using LServe.Contracts;

namespace LServe.Grains.Wire;

[GenerateSerializer, Immutable, Alias("lserve.wire.SamplingOptions")]
internal struct SamplingOptionsWire
{
    [Id(0)] public float Temperature;
    [Id(1)] public int TopK;
    [Id(2)] public float TopP;
    [Id(3)] public float MinP;
    [Id(4)] public float RepetitionPenalty;
    [Id(5)] public float PresencePenalty;
    [Id(6)] public float FrequencyPenalty;
    [Id(7)] public int[]? BiasTokens;
    [Id(8)] public float[]? BiasValues;
    [Id(9)] public long? Seed;
    [Id(10)] public string[]? Stop;
    [Id(11)] public int? MaxTokens;
    [Id(12)] public bool Logprobs;
    [Id(13)] public int TopLogprobs;
    [Id(14)] public bool IgnoreEnd;
}

[RegisterConverter]
internal sealed class SamplingOptionsConverter : IConverter<SamplingOptions, SamplingOptionsWire>
{
    public SamplingOptions ConvertFromSurrogate(in SamplingOptionsWire wire) => new()
    {
        Temperature = wire.Temperature,
        TopK = wire.TopK,
        TopP = wire.TopP,
        MinP = wire.MinP,
        RepetitionPenalty = wire.RepetitionPenalty,
        PresencePenalty = wire.PresencePenalty,
        FrequencyPenalty = wire.FrequencyPenalty,
        LogitBias = wire.BiasTokens?.Zip(wire.BiasValues!).ToDictionary(b => b.First, b => b.Second),
        Seed = wire.Seed,
        Stop = wire.Stop,
        MaxTokens = wire.MaxTokens,
        Logprobs = wire.Logprobs,
        TopLogprobs = wire.TopLogprobs,
        IgnoreEnd = wire.IgnoreEnd,
    };

    public SamplingOptionsWire ConvertToSurrogate(in SamplingOptions value) => new()
    {
        Temperature = value.Temperature,
        TopK = value.TopK,
        TopP = value.TopP,
        MinP = value.MinP,
        RepetitionPenalty = value.RepetitionPenalty,
        PresencePenalty = value.PresencePenalty,
        FrequencyPenalty = value.FrequencyPenalty,
        BiasTokens = value.LogitBias?.Keys.ToArray(),
        BiasValues = value.LogitBias?.Values.ToArray(),
        Seed = value.Seed,
        Stop = value.Stop?.ToArray(),
        MaxTokens = value.MaxTokens,
        Logprobs = value.Logprobs,
        TopLogprobs = value.TopLogprobs,
        IgnoreEnd = value.IgnoreEnd,
    };
}
