using LServe.Contracts;
using Orleans.Metadata;
using Orleans.Serialization.Configuration;

[assembly: TypeManifestProvider(typeof(LServe.Grains.Wire.WireNames))]

namespace LServe.Grains.Wire;

/// <summary>
/// The names under which contract types travel. The contracts know nothing of Orleans, so that their names are given here, and moving
/// or renaming a class doesn't part an old silo from a new one.
/// </summary>
internal sealed class WireNames : TypeManifestProviderBase
{
    public static IReadOnlyDictionary<string, Type> All { get; } = new Dictionary<string, Type>
    {
        ["lserve.ChatMessage"] = typeof(ChatMessage),
        ["lserve.ErrorInfo"] = typeof(ErrorInfo),
        ["lserve.PromptProgress"] = typeof(PromptProgress),
        ["lserve.SamplingOptions"] = typeof(SamplingOptions),
        ["lserve.SessionInfo"] = typeof(SessionInfo),
        ["lserve.TextDelta"] = typeof(TextDelta),
        ["lserve.TokenLogprob"] = typeof(TokenLogprob),
        ["lserve.TurnCompleted"] = typeof(TurnCompleted),
        ["lserve.TurnEvent"] = typeof(TurnEvent),
        ["lserve.TurnFailed"] = typeof(TurnFailed),
        ["lserve.TurnRequest"] = typeof(TurnRequest),
        ["lserve.TurnStarted"] = typeof(TurnStarted),
    };

    protected override void ConfigureInner(TypeManifestOptions options)
    {
        foreach (var (name, type) in All) options.WellKnownTypeAliases[name] = type;
    }
}
