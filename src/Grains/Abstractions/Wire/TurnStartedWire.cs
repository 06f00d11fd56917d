using LServe.Contracts;

namespace LServe.Grains.Wire;

[GenerateSerializer, Immutable, Alias("lserve.wire.TurnStarted")]
internal struct TurnStartedWire
{
    [Id(0)] public string TurnId;
    [Id(1)] public int PromptTokens;
    [Id(2)] public int CachedTokens;
    [Id(3)] public bool Repeated;
}

[RegisterConverter]
internal sealed class TurnStartedConverter : IConverter<TurnStarted, TurnStartedWire>
{
    public TurnStarted ConvertFromSurrogate(in TurnStartedWire wire) => new(wire.TurnId, wire.PromptTokens, wire.CachedTokens, wire.Repeated);

    public TurnStartedWire ConvertToSurrogate(in TurnStarted value) => new()
    {
        TurnId = value.TurnId,
        PromptTokens = value.PromptTokens,
        CachedTokens = value.CachedTokens,
        Repeated = value.Repeated,
    };
}
