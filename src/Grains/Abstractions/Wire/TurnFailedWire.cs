using LServe.Contracts;

namespace LServe.Grains.Wire;

[GenerateSerializer, Immutable, Alias("lserve.wire.TurnFailed")]
internal struct TurnFailedWire
{
    [Id(0)] public ErrorInfo Error;
}

[RegisterConverter]
internal sealed class TurnFailedConverter : IConverter<TurnFailed, TurnFailedWire>
{
    public TurnFailed ConvertFromSurrogate(in TurnFailedWire wire) => new(wire.Error);

    public TurnFailedWire ConvertToSurrogate(in TurnFailed value) => new() { Error = value.Error };
}
