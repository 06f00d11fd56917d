using LServe.Contracts;

namespace LServe.Tests.Contracts;

public abstract partial class SessionHostContract
{
    [Fact(Timeout = Limit)]
    public async Task LeavingCommitsExactlyWhatTheReaderGot()
    {
        var whole = await Answer.ReadAsync(Host.RunAsync(_tenant, Say("hello")));
        string got;
        using (fixture.Gate.Close())
        {
            await using var turn = Host.SendAsync(Key(), Say("hello")).GetAsyncEnumerator();
            fixture.Gate.Allow(7);
            got = (await NextAsync<TextDelta>(turn)).Text + (await NextAsync<TextDelta>(turn)).Text + (await NextAsync<TextDelta>(turn)).Text;
        }
        await UntilIdleAsync(Key());
        var kept = await Host.GetAsync(Key());
        var next = await SendAsync(Key(), Say("more"));

        Assert.Equal(whole.Text[..got.Length], got);
        Assert.Equal(["hello", got], kept!.Messages.Select(m => m.Content));
        Assert.Equal(whole.Usage.PromptTokens + 3, kept.Tokens);
        Assert.True(next.Usage.CachedTokens >= kept.Tokens - 1);
    }

    [Fact(Timeout = Limit)]
    public async Task LeavingByTheTokenCommitsWhatTheReaderGot()
    {
        using var leaving = new CancellationTokenSource();
        var got = "";
        using (fixture.Gate.Close())
        {
            fixture.Gate.Allow(5);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            {
                await foreach (var next in Host.SendAsync(Key(), Say("hello"), leaving.Token))
                {
                    if (next is not TextDelta delta) continue;
                    got += delta.Text;
                    await leaving.CancelAsync();
                }
            });
        }
        await UntilIdleAsync(Key());

        Assert.NotEmpty(got);
        Assert.Equal(["hello", got], (await Host.GetAsync(Key()))!.Messages.Select(m => m.Content));
    }

    [Fact(Timeout = Limit)]
    public async Task LeavingBeforeAnyTextKeepsNothing()
    {
        await EvictAllAsync();
        using (fixture.Gate.Close())
        {
            await using var turn = Host.SendAsync(Key(), Say("hello")).GetAsyncEnumerator();
            await NextAsync<TurnStarted>(turn);
        }
        var next = await SendAsync(Key(), Say("other"));

        Assert.Equal(["other", next.Text], (await Host.GetAsync(Key()))!.Messages.Select(m => m.Content));
        await Host.DeleteAsync(Key());
        await EventuallyAsync(() => fixture.PagesUsed == 0);
    }

    [Fact(Timeout = Limit)]
    public async Task CancellingEndsTheTurnAndKeepsItsText()
    {
        Assert.False(await Host.CancelAsync(Key()));
        Answer rest;
        TextDelta first;
        using (fixture.Gate.Close())
        {
            await using var turn = Host.SendAsync(Key(), Say("hello", 200)).GetAsyncEnumerator();
            fixture.Gate.Allow(3);
            first = await NextAsync<TextDelta>(turn);
            Assert.True(await Host.CancelAsync(Key()));
            fixture.Gate.Open();
            rest = await RestAsync(turn);
        }

        Assert.Equal(FinishReason.Cancelled, rest.Reason);
        var kept = await Host.GetAsync(Key());
        Assert.Equal(["hello", first.Text + rest.Text], kept!.Messages.Select(m => m.Content));
        Assert.Equal(kept.Tokens, rest.Usage.SessionTokens);
        Assert.InRange(rest.Usage.CompletionTokens, 1, 20);
        Assert.False(await Host.CancelAsync(Key()));
    }

    [Fact(Timeout = Limit)]
    public async Task AReaderThatPausesGetsEverything()
    {
        var whole = await Answer.ReadAsync(Host.RunAsync(_tenant, Say("hello", 100)));
        await using var turn = Host.SendAsync(Key(), Say("hello", 100)).GetAsyncEnumerator();
        var first = await NextAsync<TextDelta>(turn);
        await UntilIdleAsync(Key());
        await fixture.EvictIdleAsync();
        var rest = await RestAsync(turn);

        Assert.Equal((whole.Text, whole.Completed), (first.Text + rest.Text, rest.Completed));
    }

    [Fact(Timeout = Limit)]
    public async Task ATurnInProgressHoldsOffEviction()
    {
        await EvictAllAsync();
        Answer rest;
        using (fixture.Gate.Close())
        {
            await using var turn = Host.SendAsync(Key(), Say("hello")).GetAsyncEnumerator();
            fixture.Gate.Allow(3);
            await NextAsync<TextDelta>(turn);
            await fixture.EvictIdleAsync();
            fixture.Gate.Open();
            rest = await RestAsync(turn);
        }
        var next = await SendAsync(Key(), Say("more"));

        Assert.Equal((FinishReason.Length, 12), (rest.Reason, rest.Usage.CompletionTokens));
        Assert.Equal(rest.Usage.SessionTokens - 1, next.Usage.CachedTokens);
    }

    [Fact(Timeout = Limit)]
    public async Task AnEvictedSessionGoesOnWithTheSameAnswer()
    {
        await SendAsync(Key("stays"), Say("hello"));
        var expected = await SendAsync(Key("stays"), Say("more"));
        await SendAsync(Key("leaves"), Say("hello"));
        await EvictAllAsync();
        var answer = await SendAsync(Key("leaves"), Say("more"));

        Assert.Equal(0, answer.Started.CachedTokens);
        Assert.Equal((expected.Text, expected.Usage.PromptTokens), (answer.Text, answer.Usage.PromptTokens));
    }

    [Fact(Timeout = Limit)]
    public async Task ReleasingFreesThePagesAndChangesNoAnswer()
    {
        await EvictAllAsync();
        Assert.False(await Host.ReleaseAsync(Key()));
        await SendAsync(Key("kept"), Say("hello"));
        var expected = await SendAsync(Key("kept"), Say("more"));
        await SendAsync(Key(), Say("hello"));
        var before = fixture.PagesUsed;

        Assert.True(await Host.ReleaseAsync(Key()));
        await EventuallyAsync(() => fixture.PagesUsed < before);
        Assert.Equal(("cold", 0), ((await Host.GetAsync(Key()))!.State, (await Host.GetAsync(Key()))!.CachedTokens));
        var answer = await SendAsync(Key(), Say("more"));
        Assert.Equal((0, expected.Text), (answer.Usage.CachedTokens, answer.Text));
    }

    [Fact(Timeout = Limit)]
    public async Task DeletingARunningSessionEndsItsTurnAndForgetsIt()
    {
        await EvictAllAsync();
        using (fixture.Gate.Close())
        {
            await using var turn = Host.SendAsync(Key(), Say("hello", 400)).GetAsyncEnumerator();
            fixture.Gate.Allow(3);
            await NextAsync<TextDelta>(turn);
            var deleting = Host.DeleteAsync(Key()).AsTask();
            await StepUntilAsync(deleting);
            Assert.True(await deleting);
            Assert.Equal(FinishReason.Cancelled, (await RestAsync(turn)).Reason);
        }

        Assert.Null(await Host.GetAsync(Key()));
        Assert.False(await Host.DeleteAsync(Key()));
        await EventuallyAsync(() => fixture.PagesUsed == 0);
        Assert.Equal(0, (await SendAsync(Key(), Say("hello"))).Started.CachedTokens);
    }

    [Fact(Timeout = Limit)]
    public async Task AbandonedTurnsLeakNoPages()
    {
        const int rounds = 20;
        await EvictAllAsync();
        for (var i = 0; i < rounds; i++)
        {
            await using var stateless = Host.RunAsync(_tenant, Say("hello " + i, 200)).GetAsyncEnumerator();
            await NextAsync<TextDelta>(stateless);
            await using var turn = Host.SendAsync(Key("s" + i), Say("hello " + i, 200)).GetAsyncEnumerator();
            await NextAsync<TextDelta>(turn);
        }
        for (var i = 0; i < rounds; i++) Assert.True(await Host.DeleteAsync(Key("s" + i)));

        await EventuallyAsync(() => fixture.PagesUsed == 0);
    }
}
