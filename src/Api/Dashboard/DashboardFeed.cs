using System.Text.Json.Serialization;
using LServe.Contracts;
using LServe.Sessions;

namespace LServe.Api;

/// <summary>Answer of <c>GET /dashboard/feed</c>.</summary>
/// <param name="Tenant">Whose sessions are listed.</param>
/// <param name="Sessions">The most recently used ones.</param>
/// <param name="Problem">Why there are none, if they couldn't be listed.</param>
internal sealed record DashboardFeed(
    DateTimeOffset At, string Tenant, IReadOnlyList<SiloReport> Silos, IReadOnlyList<DashboardSession> Sessions, string? Problem = null);

/// <param name="State"><see cref="SessionInfo.State"/>.</param>
internal sealed record DashboardSession(
    string Id, string State, string Model, int Tokens, int CachedTokens, int Turns, DateTimeOffset Created, DateTimeOffset LastUsed, bool Interrupted)
{
    public static DashboardSession Of(SessionInfo s) =>
        new(s.Id, s.State, s.Model, s.Tokens, s.CachedTokens, s.Turns, s.Created, s.LastUsed, s.Interrupted is not null);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DashboardFeed))]
internal sealed partial class DashboardJson : JsonSerializerContext;
