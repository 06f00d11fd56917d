using LServe.Contracts;

namespace LServe.Grains.Wire;

[GenerateSerializer, Immutable, Alias("lserve.wire.PromptProgress")]
internal struct PromptProgressWire
{
    [Id(0)] public int Done;
    [Id(1)] public int Total;
}

[RegisterConverter]
internal sealed class PromptProgressConverter : IConverter<PromptProgress, PromptProgressWire>
{
    public PromptProgress ConvertFromSurrogate(in PromptProgressWire wire) => new(wire.Done, wire.Total);

    public PromptProgressWire ConvertToSurrogate(in PromptProgress value) => new() { Done = value.Done, Total = value.Total };
}
