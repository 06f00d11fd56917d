using LServe.Contracts;

namespace LServe.Grains.Wire;

[GenerateSerializer, Immutable, Alias("lserve.wire.TurnRequest")]
internal struct TurnRequestWire
{
    [Id(0)] public string? TurnId;
    [Id(1)] public ChatMessage[]? Messages;
    [Id(2)] public string? Prompt;
    [Id(3)] public int[]? PromptTokens;
    [Id(4)] public SamplingOptions Sampling;
    [Id(5)] public string? Attention;
    [Id(6)] public int? KeepAlive;
    [Id(7)] public bool Replay;
}

[RegisterConverter]
internal sealed class TurnRequestConverter : IConverter<TurnRequest, TurnRequestWire>
{
    public TurnRequest ConvertFromSurrogate(in TurnRequestWire wire) => new()
    {
        TurnId = wire.TurnId,
        Messages = wire.Messages,
        Prompt = wire.Prompt,
        PromptTokens = wire.PromptTokens,
        Sampling = wire.Sampling,
        Attention = wire.Attention is { } name ? Enum.Parse<AttentionKind>(name) : null,
        KeepAlive = wire.KeepAlive,
        Replay = wire.Replay,
    };

    public TurnRequestWire ConvertToSurrogate(in TurnRequest value) => new()
    {
        TurnId = value.TurnId,
        Messages = value.Messages?.ToArray(),
        Prompt = value.Prompt,
        PromptTokens = value.PromptTokens?.ToArray(),
        Sampling = value.Sampling,
        Attention = value.Attention?.ToString(),
        KeepAlive = value.KeepAlive,
        Replay = value.Replay,
    };
}
