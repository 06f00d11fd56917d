using LServe.Contracts;

namespace LServe.Grains.Wire;

[GenerateSerializer, Immutable, Alias("lserve.wire.SessionInfo")]
internal struct SessionInfoWire
{
    [Id(0)] public string Tenant;
    [Id(1)] public string Name;
    [Id(2)] public string Model;
    [Id(3)] public int Tokens;
    [Id(4)] public int CachedTokens;
    [Id(5)] public int Turns;
    [Id(6)] public string State;
    [Id(7)] public DateTimeOffset Created;
    [Id(8)] public DateTimeOffset LastUsed;
    [Id(9)] public string? LastTurnId;
    [Id(10)] public ChatMessage[] Messages;
    [Id(11)] public string? InterruptedTurn;
    [Id(12)] public string? InterruptedText;
    [Id(13)] public int InterruptedTokens;
}

[RegisterConverter]
internal sealed class SessionInfoConverter : IConverter<SessionInfo, SessionInfoWire>
{
    public SessionInfo ConvertFromSurrogate(in SessionInfoWire wire) => new(
        wire.Tenant, wire.Name, wire.Model, wire.Tokens, wire.CachedTokens, wire.Turns, wire.State, wire.Created, wire.LastUsed,
        wire.LastTurnId, wire.Messages, wire.InterruptedTurn is { } turn ? new(turn, wire.InterruptedText!, wire.InterruptedTokens) : null);

    public SessionInfoWire ConvertToSurrogate(in SessionInfo value) => new()
    {
        Tenant = value.Tenant,
        Name = value.Id,
        Model = value.Model,
        Tokens = value.Tokens,
        CachedTokens = value.CachedTokens,
        Turns = value.Turns,
        State = value.State,
        Created = value.Created,
        LastUsed = value.LastUsed,
        LastTurnId = value.LastTurnId,
        Messages = [.. value.Messages],
        InterruptedTurn = value.Interrupted?.TurnId,
        InterruptedText = value.Interrupted?.Text,
        InterruptedTokens = value.Interrupted?.Tokens ?? 0,
    };
}
