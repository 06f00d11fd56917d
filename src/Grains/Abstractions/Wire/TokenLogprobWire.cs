using LServe.Contracts;

namespace LServe.Grains.Wire;

[GenerateSerializer, Immutable, Alias("lserve.wire.TokenLogprob")]
internal struct TokenLogprobWire
{
    [Id(0)] public int Token;
    [Id(1)] public string Text;
    [Id(2)] public byte[] Bytes;
    [Id(3)] public float Logprob;
    [Id(4)] public TokenLogprob[]? Top;
}

[RegisterConverter]
internal sealed class TokenLogprobConverter : IConverter<TokenLogprob, TokenLogprobWire>
{
    public TokenLogprob ConvertFromSurrogate(in TokenLogprobWire wire) => new(wire.Token, wire.Text, wire.Bytes, wire.Logprob, wire.Top);

    public TokenLogprobWire ConvertToSurrogate(in TokenLogprob value) => new()
    {
        Token = value.Token,
        Text = value.Text,
        Bytes = [.. value.Bytes],
        Logprob = value.Logprob,
        Top = value.Top?.ToArray(),
    };
}
