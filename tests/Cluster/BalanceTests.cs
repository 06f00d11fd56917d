using LServe.Contracts;
using LServe.Grains;
using LServe.Inference;
using LServe.Sessions;
using LServe.Tests.Contracts;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;

namespace LServe.Tests.Cluster;

/// <summary>Idle sessions leave a silo that is nearly full for one that isn't.</summary>
public class BalanceTests(StoredClusterFixture fixture) : IClassFixture<StoredClusterFixture>
{
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    public async Task IdleSessionsLeaveASiloThatIsNearlyFull()
    {
        // 14 conversations of seven to eight pages: seven eighths of a silo's 128.
        SessionKey[] keys = [.. Enumerable.Range(0, 14).Select(i => new SessionKey("t", $"s{i}"))];
        foreach (var key in keys) await SayAsync(key, "hello", tokens: 440);
        var (crowded, name) = (fixture.Silos[0].ServiceProvider, (await fixture.Host.ReportAsync())[0].Silo.Name);
        foreach (var key in keys)
            if ((await fixture.Grain(key).LocateAsync()).Silo != name) await fixture.Host.MigrateAsync(key, name);
        await crowded.GetRequiredService<CapacityBoard>().RefreshAsync();

        await crowded.GetRequiredService<SessionBalance>().RunOnceAsync();

        while (await CountAsync(keys, name) == keys.Length) await Task.Yield();
        foreach (var key in keys) Assert.Equal(0, (await SayAsync(key, "more")).Usage.RecomputedTokens);
        Assert.InRange(await CountAsync(keys, name), 1, keys.Length - 1);
    }

    private async Task<int> CountAsync(SessionKey[] keys, string silo)
    {
        var places = await Task.WhenAll(keys.Select(key => fixture.Grain(key).LocateAsync()));
        return places.Count(place => place.Silo == silo);
    }

    private Task<Answer> SayAsync(SessionKey key, string text, int tokens = 8) => Answer.ReadAsync(fixture.Host.SendAsync(key, new()
    {
        Messages = [new(ChatMessage.User, text)], Sampling = new() { Temperature = 0, MaxTokens = tokens, IgnoreEnd = true },
    }));
}

/// <summary>Which silo a crowded one may send sessions to.</summary>
public class ReliefTests
{
    [Theory]
    [InlineData(69, new[] { 0 }, null)]
    [InlineData(70, new[] { 41, 60 }, null)]
    [InlineData(70, new[] { 39 }, 39)]
    [InlineData(95, new[] { 80, 50, 60 }, 50)]
    [InlineData(95, new int[0], null)]
    public void ItHasMuchMoreRoom(int used, int[] others, int? chosen) =>
        Assert.Equal(chosen, SiloChoice.Relief(View(used), others.Select(View))?.Report.Kv[0].UsedPages);

    private static SiloView View(int used) => new(SiloAddress.Zero, new()
    {
        Silo = new("silo", null, "cluster"), Model = "Tiny", Backend = "fake", Started = default, Uptime = default, Activations = 0, Placements = 0,
        Kv = [new(KvTier.Host, KvPool.Retrieval, used, 100, null, null)], Running = 0, BatchRows = 0, Queued = 0, QueuedTokens = 0, PromptTokens = 0, GeneratedTokens = 0,
        TokensPerSecond = 0, Tenants = [],
    }, Read: 0, Placed: 0);
}
