using LServe.Contracts;
using LServe.Grains;
using LServe.Tests.Contracts;
using Orleans.Core.Internal;

namespace LServe.Tests.Cluster;

/// <summary>Silos that forget enumerations soon, and give turns time to end when a session must leave.</summary>
public sealed class ForgetfulFixture() : ClusterFixture(silos: 1, new() { DrainTimeout = TimeSpan.FromSeconds(20) }, responseTimeout: Expiry)
{
    /// <summary>Orleans drops an enumeration that nobody advances for one to two of these.</summary>
    public static readonly TimeSpan Expiry = TimeSpan.FromSeconds(2);

    protected override Sessions.ISessionHost CreateHost(IServiceProvider silo) => SessionSiloExtensions.CreateHost(silo, Client);
}

/// <summary>What is peculiar to readers on the other side of a wire.</summary>
public class ReaderTests(ForgetfulFixture fixture) : IClassFixture<ForgetfulFixture>
{
    private const int Limit = 60_000;
    private static readonly TimeSpan s_step = TimeSpan.FromMilliseconds(20);

    private readonly string _tenant = "t-" + Guid.NewGuid().ToString("N");

    [Fact(Timeout = Limit)]
    public async Task AReaderThatPausesForLongerThanTheExpiryGetsEverything()
    {
        const int tokens = 400;
        var (watched, paused) = (Key("watched"), Key("paused"));
        var whole = await Answer.ReadAsync(fixture.Host.RunAsync(_tenant, Say(tokens)));
        Answer rest;
        TextDelta first;
        using (fixture.Gate.Close())
        {
            // A bare enumeration beside the host's shows when the expiry has come: its turn is taken for abandoned.
            await using var bare = fixture.Grain(watched).SendAsync(Say(tokens)).GetAsyncEnumerator();
            await using var turn = fixture.Host.SendAsync(paused, Say(tokens)).GetAsyncEnumerator();
            await StepUntilAsync(NextDeltaAsync(bare));
            first = await StepUntilAsync(NextDeltaAsync(turn));
            await StepUntilAsync(UntilKeptAsync(watched));
            Assert.Null(await fixture.Host.GetAsync(paused));
            fixture.Gate.Open();
            rest = await RestAsync(turn);
        }

        Assert.True((await fixture.Host.GetAsync(watched))!.Tokens < whole.Usage.SessionTokens);
        Assert.Equal((whole.Text, whole.Completed), (first.Text + rest.Text, rest.Completed));
    }

    [Fact(Timeout = Limit)]
    public async Task ATurnThatOutlivesItsActivationIsResumedByItsId()
    {
        var key = Key("moves");
        var whole = await Answer.ReadAsync(fixture.Host.RunAsync(_tenant, Say(40)));
        Answer rest;
        TextDelta first;
        using (fixture.Gate.Close())
        {
            await using var turn = fixture.Host.SendAsync(key, Say(40)).GetAsyncEnumerator();
            fixture.Gate.Allow(4);
            first = await NextDeltaAsync(turn);
            await fixture.Grain(key).AsReference<IGrainManagementExtension>().DeactivateOnIdle();
            fixture.Gate.Open();
            rest = await RestAsync(turn);
        }

        Assert.Equal((whole.Text, whole.Completed), (first.Text + rest.Text, rest.Completed));
        Assert.Equal(1, (await fixture.Host.GetAsync(key))!.Turns);
    }

    [Fact(Timeout = Limit)]
    public async Task ATurnThatIsNotThereIsNotResumed()
    {
        var key = Key("lost");
        await Answer.ReadAsync(fixture.Host.SendAsync(key, Say(3) with { TurnId = "one" }));
        var committed = await Answer.ReadAsync(fixture.Grain(key).ResumeAsync("one"));
        var lost = await Answer.ReadAsync(fixture.Grain(key).ResumeAsync("two"));

        Assert.True(committed.Started.Repeated);
        var error = Assert.IsType<TurnFailed>(Assert.Single(lost.Events)).Error;
        Assert.Equal((ErrorCode.Overloaded, true), (error.Code, error.Retryable));
    }

    private SessionKey Key(string session) => new(_tenant, session);

    private static TurnRequest Say(int tokens) =>
        new() { Messages = [new(ChatMessage.User, "hello")], Sampling = new() { Temperature = 0, MaxTokens = tokens } };

    private static async Task<TextDelta> NextDeltaAsync(IAsyncEnumerator<TurnEvent> turn)
    {
        while (await turn.MoveNextAsync())
            if (turn.Current is TextDelta delta)
                return delta;
        throw new Xunit.Sdk.XunitException("The turn ended without text.");
    }

    private async Task<bool> UntilKeptAsync(SessionKey key)
    {
        while (await fixture.Host.GetAsync(key) is null) await Task.Delay(s_step);
        return true;
    }

    /// <summary>Steps slowly, so that the expiry comes well before the turns' end.</summary>
    private async Task<T> StepUntilAsync<T>(Task<T> done)
    {
        for (; !done.IsCompleted; await Task.Delay(s_step)) fixture.Gate.Allow(1);
        return await done;
    }

    private static async Task<Answer> RestAsync(IAsyncEnumerator<TurnEvent> turn)
    {
        var events = new List<TurnEvent>();
        while (await turn.MoveNextAsync()) events.Add(turn.Current);
        return new(events);
    }
}
