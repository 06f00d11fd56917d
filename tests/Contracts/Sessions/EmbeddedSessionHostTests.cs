using LServe.Contracts;

namespace LServe.Tests.Contracts;

public class EmbeddedSessionHostTests(EmbeddedFixture fixture) : SessionHostContract(fixture), IClassFixture<EmbeddedFixture>;

public class EmbeddedCpuSessionHostTests(EmbeddedCpuFixture fixture) : SessionHostContract(fixture), IClassFixture<EmbeddedCpuFixture>;

public class EmbeddedMigrationTests(EmbeddedFixture fixture) : IClassFixture<EmbeddedFixture>
{
    [Fact]
    public async Task OneProcessSaysThatThereIsNowhereToMoveTo()
    {
        var error = (await Assert.ThrowsAsync<LServe.Contracts.LServeException>(async () => await fixture.Host.MigrateAsync(new("t", "s")))).Error;
        Assert.Equal((LServe.Contracts.ErrorCode.InvalidRequest, false), (error.Code, error.Retryable));
    }
}

public sealed class KeepAliveTests : IAsyncLifetime
{
    private readonly EmbeddedFixture _fixture = new();

    public Task InitializeAsync() => _fixture.InitializeAsync();

    public Task DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task ASessionStaysInMemoryAsLongAsItsLastTurnAskedFor()
    {
        const int week = 7 * 24 * 3600;
        foreach (var (name, keepAlive) in new[] { ("usual", (int?)null), ("long", week) })
            await Answer.ReadAsync(_fixture.Host.SendAsync(new("t", name), new() { Messages = [new("user", "hello")], Sampling = new() { MaxTokens = 4 }, KeepAlive = keepAlive }));
        await _fixture.EvictIdleAsync();

        while ((await _fixture.Host.GetAsync(new("t", "usual")))!.State != "cold") await Task.Yield();
        Assert.Equal("idle", (await _fixture.Host.GetAsync(new("t", "long")))!.State);
    }

    [Fact]
    public async Task AClockThatIsSetBackNeitherKeepsSessionsInMemoryNorLosesThem()
    {
        var (key, say) = (new SessionKey("t", "s"), new TurnRequest { Messages = [new("user", "hello")], Sampling = new() { MaxTokens = 4 } });
        await Answer.ReadAsync(_fixture.Host.SendAsync(key, say));
        _fixture.SetClockBack(TimeSpan.FromDays(30));
        await _fixture.EvictIdleAsync();

        while ((await _fixture.Host.GetAsync(key))!.State != "cold") await Task.Yield();
        await Answer.ReadAsync(_fixture.Host.SendAsync(key, say));
        Assert.Equal(2, Assert.Single(await _fixture.Host.ListAsync("t")).Turns);
    }
}
