using LServe.Contracts;
using LServe.Sessions;

namespace LServe.Tests.Contracts;

/// <summary>
/// What every <see cref="ISessionHost"/> promises. A host is done when a subclass of three lines is green. The parts: turns, readers who
/// come and go, several sessions at once, failures.
/// </summary>
public abstract partial class SessionHostContract(SessionHostFixture fixture)
{
    /// <summary>Milliseconds: a test that takes longer hangs.</summary>
    private const int Limit = 60_000;

    private readonly string _tenant = "t-" + Guid.NewGuid().ToString("N");

    private ISessionHost Host => fixture.Host;

    private SessionKey Key(string session = "s") => new(_tenant, session);

    private static TurnRequest Say(string text, int tokens = 12) => Say([new(ChatMessage.User, text)], tokens);

    private static TurnRequest Say(IReadOnlyList<ChatMessage> messages, int tokens = 12) =>
        new() { Messages = messages, Sampling = new() { Temperature = 0, MaxTokens = tokens } };

    private Task<Answer> SendAsync(SessionKey key, TurnRequest request) => Answer.ReadAsync(Host.SendAsync(key, request));

    private static async Task<ErrorInfo> FailureOfAsync(IAsyncEnumerable<TurnEvent> turn) =>
        (await Assert.ThrowsAsync<LServeException>(() => Answer.ReadAsync(turn))).Error;

    private static async Task<T> NextAsync<T>(IAsyncEnumerator<TurnEvent> turn) where T : TurnEvent
    {
        while (await turn.MoveNextAsync())
            if (turn.Current is T found)
                return found;
        throw new Xunit.Sdk.XunitException($"The turn ended without a {typeof(T).Name}.");
    }

    private static async Task<Answer> RestAsync(IAsyncEnumerator<TurnEvent> turn)
    {
        var events = new List<TurnEvent>();
        while (await turn.MoveNextAsync()) events.Add(turn.Current);
        return new(events);
    }

    /// <summary>Waits for what happens on another thread and tells nobody.</summary>
    private static async Task EventuallyAsync(Func<Task<bool>> holds)
    {
        while (!await holds()) await Task.Delay(TimeSpan.FromMilliseconds(2));
    }

    private static Task EventuallyAsync(Func<bool> holds) => EventuallyAsync(() => Task.FromResult(holds()));

    /// <summary>Steps slowly, so that what was asked for comes well before the turn's end, until it is done.</summary>
    private async Task StepUntilAsync(Task done)
    {
        for (; !done.IsCompleted; await Task.Delay(TimeSpan.FromMilliseconds(5))) fixture.Gate.Allow(1);
    }

    /// <summary>Waits until no session, of this or an earlier test, holds pages.</summary>
    private Task EvictAllAsync() => EventuallyAsync(async () =>
    {
        await fixture.EvictIdleAsync();
        return fixture.PagesUsed == 0;
    });

    private Task UntilIdleAsync(SessionKey key) => EventuallyAsync(async () => await Host.GetAsync(key) is { State: not "running" });
}
