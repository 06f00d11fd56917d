using LServe.Contracts;

namespace LServe.Grains.Wire;

/// <summary>The reason travels as its name, so that reasons may be added or reordered.</summary>
[GenerateSerializer, Immutable, Alias("lserve.wire.TurnCompleted")]
internal struct TurnCompletedWire
{
    [Id(0)] public string Reason;
    [Id(1)] public int PromptTokens;
    [Id(2)] public int CompletionTokens;
    [Id(3)] public int CachedTokens;
    [Id(4)] public int SessionTokens;
    [Id(5)] public int RestoredTokens;
    [Id(6)] public int RecomputedTokens;
    [Id(7)] public bool ArithmeticChanged;
    [Id(8)] public string? Attention;
    [Id(9)] public long PagesRead;
    [Id(10)] public long PagesHeld;
}

[RegisterConverter]
internal sealed class TurnCompletedConverter : IConverter<TurnCompleted, TurnCompletedWire>
{
    public TurnCompleted ConvertFromSurrogate(in TurnCompletedWire wire) => new(
        Enum.Parse<FinishReason>(wire.Reason),
        new TurnUsage(wire.PromptTokens, wire.CompletionTokens, wire.CachedTokens, wire.SessionTokens, wire.RestoredTokens, wire.RecomputedTokens,
            wire.ArithmeticChanged)
        {
            Attention = wire.Attention is { } name ? Enum.Parse<AttentionKind>(name) : AttentionKind.Dense,
            PagesRead = wire.PagesRead,
            PagesHeld = wire.PagesHeld,
        });

    public TurnCompletedWire ConvertToSurrogate(in TurnCompleted value) => new()
    {
        Reason = value.Reason.ToString(),
        PromptTokens = value.Usage.PromptTokens,
        CompletionTokens = value.Usage.CompletionTokens,
        CachedTokens = value.Usage.CachedTokens,
        SessionTokens = value.Usage.SessionTokens,
        RestoredTokens = value.Usage.RestoredTokens,
        RecomputedTokens = value.Usage.RecomputedTokens,
        ArithmeticChanged = value.Usage.ArithmeticChanged,
        Attention = value.Usage.Attention.ToString(),
        PagesRead = value.Usage.PagesRead,
        PagesHeld = value.Usage.PagesHeld,
    };
}
