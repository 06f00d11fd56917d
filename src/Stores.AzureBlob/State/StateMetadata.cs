using System.Text.Json;
using System.Text.Json.Serialization;
using LServe.Contracts;
using LServe.Sessions;

namespace LServe.Stores.AzureBlob;

/// <summary>What a state blob's metadata say: which commit it is, and what a list says of the session.</summary>
internal static class StateMetadata
{
    private const string CommitName = "commit", SummaryName = "summary";

    /// <summary>Characters of a turn id in a list, at most, since metadata have 8 KiB; longer ones are left out there.</summary>
    private const int MaxTurnId = 1_024;

    public static Dictionary<string, string> Of(string commit, SessionSnapshot s)
    {
        var turn = s.LastTurn?.TurnId is { Length: <= MaxTurnId } id ? id : null;
        var summary = new Listed(s.Key.Tenant, s.Key.Session, s.Model, s.Tokens.Count, s.Turns, turn, s.Created.UtcTicks, s.LastUsed.UtcTicks);
        return new()
        {
            [CommitName] = commit,
            [SummaryName] = Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(summary, ListedJson.Default.Listed)),
        };
    }

    /// <summary>The commit; null if it is missing.</summary>
    public static string? CommitOf(IDictionary<string, string> metadata) => metadata.TryGetValue(CommitName, out var commit) ? commit : null;

    /// <summary>Null if it is missing or can't be read.</summary>
    public static SessionSummary? SummaryOf(IDictionary<string, string>? metadata)
    {
        if (metadata is null || !metadata.TryGetValue(SummaryName, out var text)) return null;
        try
        {
            var s = JsonSerializer.Deserialize(Convert.FromBase64String(text), ListedJson.Default.Listed)!;
            return new(new(s.Tenant, s.Session), s.Model, s.Tokens, s.Turns, s.LastTurn, new(s.Created, TimeSpan.Zero), new(s.LastUsed, TimeSpan.Zero));
        }
        catch (Exception problem) when (problem is FormatException or JsonException or ArgumentException or LServeException)
        {
            return null;
        }
    }
}

internal sealed record Listed(string Tenant, string Session, string Model, int Tokens, int Turns, string? LastTurn, long Created, long LastUsed);

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Listed))]
internal sealed partial class ListedJson : JsonSerializerContext;
