using LServe.Contracts;

namespace LServe.Grains.Wire;

[GenerateSerializer, Immutable, Alias("lserve.wire.TextDelta")]
internal struct TextDeltaWire
{
    [Id(0)] public string Text;
    [Id(1)] public int Tokens;
    [Id(2)] public TokenLogprob[]? Logprobs;
}

[RegisterConverter]
internal sealed class TextDeltaConverter : IConverter<TextDelta, TextDeltaWire>
{
    public TextDelta ConvertFromSurrogate(in TextDeltaWire wire) => new(wire.Text, wire.Tokens, wire.Logprobs);

    public TextDeltaWire ConvertToSurrogate(in TextDelta value) =>
        new() { Text = value.Text, Tokens = value.Tokens, Logprobs = value.Logprobs?.ToArray() };
}
