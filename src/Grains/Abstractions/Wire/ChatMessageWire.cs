using LServe.Contracts;

namespace LServe.Grains.Wire;

[GenerateSerializer, Immutable, Alias("lserve.wire.ChatMessage")]
internal struct ChatMessageWire
{
    [Id(0)] public string Role;
    [Id(1)] public string Content;
}

[RegisterConverter]
internal sealed class ChatMessageConverter : IConverter<ChatMessage, ChatMessageWire>
{
    public ChatMessage ConvertFromSurrogate(in ChatMessageWire wire) => new(wire.Role, wire.Content);

    public ChatMessageWire ConvertToSurrogate(in ChatMessage value) => new() { Role = value.Role, Content = value.Content };
}
