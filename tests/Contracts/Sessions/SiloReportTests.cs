using LServe.Contracts;
using LServe.Inference;
using LServe.Sessions;

namespace LServe.Tests.Contracts;

public sealed class SiloReportTests(EmbeddedFixture fixture) : IClassFixture<EmbeddedFixture>
{
    private const int AnswerTokens = 12;

    [Fact]
    public async Task AReportTellsOfSessionsTokensAndPages()
    {
        var before = Assert.Single(await fixture.Host.ReportAsync());
        foreach (var session in new[] { "a", "b", "a" })
            await Answer.ReadAsync(fixture.Host.SendAsync(new("tenant", session), Say()));
        await fixture.PassTimeAsync();
        var after = Assert.Single(await fixture.Host.ReportAsync());

        Assert.Equal((0, 0, 2, 2), (before.Activations, before.Placements, after.Activations, after.Placements));
        Assert.Equal(3 * AnswerTokens, after.GeneratedTokens - before.GeneratedTokens);
        Assert.Equal([new TenantRate("tenant", 3 * AnswerTokens / 5.0)], after.Tenants);
        Assert.Equal((3 * AnswerTokens / 5.0, TimeSpan.FromSeconds(1)), (after.TokensPerSecond, after.Uptime - before.Uptime));
        var pool = Assert.Single(after.Kv);
        Assert.Equal((KvTier.Host, KvPool.Retrieval, fixture.PagesUsed), (pool.Tier, pool.Pool, pool.UsedPages));
        Assert.True(pool.UsedPages > 0 && pool.FreePages == pool.TotalPages - pool.UsedPages && pool.UsedBytes < pool.TotalBytes);
        Assert.Equal((0, 0, 0L, false), (after.Running, after.Queued, after.QueuedTokens, after.Draining));
    }

    [Fact]
    public async Task AReportTravelsAsJson()
    {
        var report = Assert.Single(await fixture.Host.ReportAsync()) with
        {
            Silo = new("silo 1", new("http://localhost:8080"), "cluster"), Draining = true, MigrationsIn = 3, MigrationsOut = 4, Tenants = [new("ä", 1.5)],
            Kv = [new(KvTier.Device, KvPool.Streaming, 1, 2, 3, 4), new(KvTier.Disk, null, null, null, 5, null)],
        };
        Assert.Equivalent(report, ReportJson.Read(ReportJson.Write(report)), strict: true);
    }

    private static TurnRequest Say() => new() { Messages = [new(ChatMessage.User, "hello")], Sampling = new() { Temperature = 0, MaxTokens = AnswerTokens } };
}
