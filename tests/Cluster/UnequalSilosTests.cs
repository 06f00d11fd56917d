using LServe.Contracts;
using LServe.Grains;
using LServe.Sessions;
using LServe.Tests.Contracts;

namespace LServe.Tests.Cluster;

/// <summary>Silos of which not any will do.</summary>
public class TwoModelsTests(TwoModelsFixture fixture) : IClassFixture<TwoModelsFixture>
{
    private const int Limit = 60_000, Sessions = 12;

    [Fact(Timeout = Limit)]
    public async Task ASessionStaysAmongSilosOfItsModel()
    {
        var reports = await fixture.Host.ReportAsync();
        var here = reports.Single(report => report.Silo.Name == "Silo_0");
        var (same, others) = (reports.Where(r => r.Content == here.Content).Select(r => r.Silo.Name).ToArray(), reports.Where(r => r.Content != here.Content).Select(r => r.Silo.Name).ToArray());
        Assert.Equal((2, 2), (same.Length, others.Length));

        foreach (var i in Enumerable.Range(0, Sessions))
        {
            await Say.HelloAsync(fixture, "s" + i);
            Assert.Contains((await fixture.Grain(new("t", "s" + i)).LocateAsync()).Silo, same);
        }
        for (var move = 0; move < 4; move++) Assert.Contains(await fixture.Host.MigrateAsync(new("t", "s0")), same);
        var error = (await Assert.ThrowsAsync<LServeException>(async () => await fixture.Host.MigrateAsync(new("t", "s0"), others[0]))).Error;
        Assert.Equal((ErrorCode.InvalidRequest, "silo"), (error.Code, error.Param));
    }
}

/// <summary>Silos that share no store.</summary>
public class OwnStoresTests(OwnStoresFixture fixture) : IClassFixture<OwnStoresFixture>
{
    private const int Limit = 60_000, Sessions = 12;

    [Fact(Timeout = Limit)]
    public async Task ASessionComesBackToTheSiloThatKeepsIt()
    {
        Assert.Equal(3, (await fixture.Host.ReportAsync()).Count);
        foreach (var i in Enumerable.Range(0, Sessions)) await Say.HelloAsync(fixture, "s" + i);
        Assert.All(await fixture.Host.ReportAsync(), report => Assert.True(report.Activations > 0, $"{report.Silo.Name} has no session."));

        await fixture.EvictIdleAsync();

        foreach (var i in Enumerable.Range(0, Sessions)) Assert.Equal(2, await TurnsAfterHelloAsync(i));
        var error = (await Assert.ThrowsAsync<LServeException>(async () => await fixture.Host.MigrateAsync(new("t", "s0")))).Error;
        Assert.Equal((ErrorCode.InvalidRequest, false), (error.Code, error.Retryable));
    }

    private async Task<int> TurnsAfterHelloAsync(int i)
    {
        await Say.HelloAsync(fixture, "s" + i);
        return (await fixture.Host.GetAsync(new("t", "s" + i)))!.Turns;
    }
}

/// <summary>A silo whose pages all belong to turns in progress.</summary>
public class FullSiloTests(OneSiloFixture fixture) : IClassFixture<OneSiloFixture>
{
    private const int Limit = 60_000;

    /// <summary>Tokens: together they nearly fill a context of 512.</summary>
    private const int LongPrompt = 60, LongAnswer = 400;

    /// <summary>Turns that together need twice the pages that there are.</summary>
    private const int LongTurns = 32;

    [Fact(Timeout = Limit)]
    public async Task ASiloShortOfPagesBeginsNoSessionAndSaysSo()
    {
        await Say.HelloAsync(fixture, "awake");
        var pages = (await fixture.Host.ReportAsync())[0].Kv[0].TotalPages!.Value;
        var prompt = Say.Request("", LongAnswer) with { Messages = null, PromptTokens = [.. Enumerable.Repeat(40, LongPrompt)] };
        var turns = Enumerable.Range(0, LongTurns).Select(i => fixture.Host.SendAsync(new("t", "long" + i), prompt).GetAsyncEnumerator()).ToArray();
        using (fixture.Gate.Close())
        {
            // The first event comes when the engine has the turn.
            foreach (var turn in turns) Assert.True(await turn.MoveNextAsync());
            while ((await fixture.Host.ReportAsync())[0].Kv[0].BusyPages < SiloChoice.MaxBusyShare * pages) await StepAsync();

            var error = (await Assert.ThrowsAsync<LServeException>(() => Say.HelloAsync(fixture, "new"))).Error;

            Assert.Equal((ErrorCode.Overloaded, true), (error.Code, error.Retryable));
            Assert.Contains("KV pages", error.Message);
            Assert.NotNull(await fixture.Host.GetAsync(new("t", "awake")));
            fixture.Gate.Open();
        }
        foreach (var turn in turns)
            while (await turn.MoveNextAsync())
            {
            }
        await fixture.Host.ReportAsync();
        await Say.HelloAsync(fixture, "new");
    }

    private async Task StepAsync()
    {
        var before = fixture.Host.Status.Steps;
        fixture.Gate.Allow(1);
        while (fixture.Host.Status.Steps == before) await Task.Yield();
    }
}

internal static class Say
{
    public static TurnRequest Request(string text, int tokens = 8) => new()
    {
        Messages = [new(ChatMessage.User, text)], Sampling = new() { Temperature = 0, MaxTokens = tokens, IgnoreEnd = true },
    };

    public static Task<Answer> HelloAsync(SessionHostFixture fixture, string session) => Answer.ReadAsync(fixture.Host.SendAsync(new("t", session), Request("hello")));
}
