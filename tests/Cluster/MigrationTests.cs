using LServe.Contracts;
using LServe.Grains;
using LServe.Sessions;
using LServe.Tests.Contracts;

namespace LServe.Tests.Cluster;

/// <summary>Sessions that change silos between turns.</summary>
public class MigrationTests(StoredClusterFixture fixture) : IClassFixture<StoredClusterFixture>
{
    private const int Limit = 60_000;

    private readonly string _tenant = "t-" + Guid.NewGuid().ToString("N");

    [Fact(Timeout = Limit)]
    public async Task AMigratedSessionGoesOnWithoutComputingAnythingAgain()
    {
        var (moved, stayed) = (Key("moved"), Key("stayed"));
        foreach (var key in new[] { moved, stayed }) await SayAsync(key, "hello", tokens: 100);
        var from = (await fixture.Grain(moved).LocateAsync()).Silo;

        var to = await fixture.Host.MigrateAsync(moved);

        Assert.NotEqual(from, to);
        Assert.Equal(to, (await fixture.Grain(moved).LocateAsync()).Silo);
        var (before, kept) = (await fixture.Host.GetAsync(moved), await fixture.Host.GetAsync(stayed));
        Assert.Equal((kept!.CachedTokens, kept.Tokens, "idle"), (before!.CachedTokens, before.Tokens, before.State));
        var (there, here) = (await SayAsync(moved, "more"), await SayAsync(stayed, "more"));
        Assert.Equal(here.Text, there.Text);
        Assert.Equal((0, here.Usage.CachedTokens), (there.Usage.RecomputedTokens, there.Usage.CachedTokens));
    }

    [Fact(Timeout = Limit)]
    public async Task ASessionGoesToTheSiloThatIsNamed()
    {
        var key = Key("named");
        await SayAsync(key, "hello");
        foreach (var silo in (await fixture.Host.ReportAsync()).Select(report => report.Silo.Name))
        {
            if ((await fixture.Grain(key).LocateAsync()).Silo == silo) continue;
            Assert.Equal(silo, await fixture.Host.MigrateAsync(key, silo));
            Assert.Equal(0, (await SayAsync(key, "at " + silo)).Usage.RecomputedTokens);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task ARunningTurnHoldsMigrationOff()
    {
        var key = Key("busy");
        await SayAsync(key, "hello");
        Task<Answer> turn;
        Task<string?> moving;
        using (fixture.Gate.Close())
        {
            turn = SayAsync(key, "long", tokens: 30);
            while ((await fixture.Host.GetAsync(key))!.State != "running") await Task.Yield();
            moving = fixture.Host.MigrateAsync(key).AsTask();
            fixture.Gate.Allow(5);
            Assert.False(moving.IsCompleted);
            fixture.Gate.Open();
        }

        Assert.Equal(FinishReason.Length, (await turn).Completed.Reason);
        Assert.NotNull(await moving);
        Assert.Equal(2, (await fixture.Host.GetAsync(key))!.Turns);
    }

    [Fact(Timeout = Limit)]
    public async Task WhatCannotMoveSaysWhy()
    {
        Assert.Null(await fixture.Host.MigrateAsync(Key("nobody")));
        var key = Key("somebody");
        await SayAsync(key, "hello");

        var error = (await Assert.ThrowsAsync<LServeException>(async () => await fixture.Host.MigrateAsync(key, "elsewhere"))).Error;

        Assert.Equal((ErrorCode.InvalidRequest, "silo"), (error.Code, error.Param));
    }

    private SessionKey Key(string session) => new(_tenant, session);

    private Task<Answer> SayAsync(SessionKey key, string text, int tokens = 8) => Answer.ReadAsync(fixture.Host.SendAsync(key, new()
    {
        Messages = [new(ChatMessage.User, text)], Sampling = new() { Temperature = 0, MaxTokens = tokens, IgnoreEnd = true },
    }));
}
