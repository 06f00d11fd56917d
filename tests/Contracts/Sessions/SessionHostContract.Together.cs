using LServe.Contracts;

namespace LServe.Tests.Contracts;

public abstract partial class SessionHostContract
{
    [Fact(Timeout = Limit)]
    public async Task TwoTurnsSentAtOnceRunOneAfterTheOther()
    {
        Answer[] answers;
        using (fixture.Gate.Close())
        {
            Task<Answer>[] sent = [SendAsync(Key(), Say("one")), SendAsync(Key(), Say("two"))];
            fixture.Gate.Open();
            answers = await Task.WhenAll(sent);
        }

        var (first, second) = answers[0].Started.CachedTokens == 0 ? (answers[0], answers[1]) : (answers[1], answers[0]);
        Assert.Equal(first.Usage.SessionTokens - 1, second.Usage.CachedTokens);
        var info = await Host.GetAsync(Key());
        Assert.Equal((2, second.Usage.SessionTokens), (info!.Turns, info.Tokens));
        Assert.Equal([first.Text, second.Text], info.Messages.Where(m => m.Role == ChatMessage.Assistant).Select(m => m.Content));
    }

    [Fact(Timeout = Limit)]
    public async Task ARunningTurnIsJoinedByItsId()
    {
        Answer joined, rest;
        TextDelta first;
        using (fixture.Gate.Close())
        {
            await using var turn = Host.SendAsync(Key(), Say("hello") with { TurnId = "one" }).GetAsyncEnumerator();
            fixture.Gate.Allow(3);
            first = await NextAsync<TextDelta>(turn);
            await using var other = Host.SendAsync(Key(), Say("hello") with { TurnId = "one" }).GetAsyncEnumerator();
            var again = await NextAsync<TextDelta>(other);
            Assert.Equal(first.Text, again.Text);
            fixture.Gate.Open();
            rest = await RestAsync(turn);
            joined = await RestAsync(other);
        }

        Assert.Equal((rest.Text, rest.Completed), (joined.Text, joined.Completed));
        Assert.Equal(1, (await Host.GetAsync(Key()))!.Turns);
    }

    [Fact(Timeout = Limit)]
    public async Task ATurnThatSomebodyElseReadsGoesOnWhenOneReaderLeaves()
    {
        Answer rest;
        using (fixture.Gate.Close())
        {
            await using var stays = Host.SendAsync(Key(), Say("hello") with { TurnId = "one" }).GetAsyncEnumerator();
            fixture.Gate.Allow(3);
            await NextAsync<TextDelta>(stays);
            await using (var leaves = Host.SendAsync(Key(), Say("hello") with { TurnId = "one" }).GetAsyncEnumerator())
                await NextAsync<TextDelta>(leaves);
            fixture.Gate.Open();
            rest = await RestAsync(stays);
        }

        Assert.Equal((FinishReason.Length, 12), (rest.Reason, rest.Usage.CompletionTokens));
    }

    [Fact(Timeout = Limit)]
    public async Task TheWaitingRoomIsBounded()
    {
        using var closed = fixture.Gate.Close();
        await using var running = Host.SendAsync(Key(), Say("0")).GetAsyncEnumerator();
        await NextAsync<TurnStarted>(running);
        var waiting = Enumerable.Range(0, fixture.Limits.MaxWaitingTurns + 1).Select(i => SendAsync(Key(), Say("w" + i))).ToList();
        var refused = await Task.WhenAny(waiting);
        waiting.Remove(refused);
        var error = (await Assert.ThrowsAsync<LServeException>(() => refused)).Error;
        fixture.Gate.Open();
        await Task.WhenAll([.. waiting, RestAsync(running)]);

        Assert.Equal((ErrorCode.RateLimited, true, 1), (error.Code, error.Retryable, error.RetryAfterSeconds));
        Assert.Equal(fixture.Limits.MaxWaitingTurns + 1, (await Host.GetAsync(Key()))!.Turns);
    }

    [Fact(Timeout = Limit)]
    public async Task GreedyTextIsTheSameAloneAndBesideFifteenOthers()
    {
        async Task<string> ConverseAsync(string session, int tokens)
        {
            var first = await SendAsync(Key(session), Say("hello", tokens));
            var second = await SendAsync(Key(session), Say("more of it", tokens));
            return first.Text + "|" + second.Text;
        }
        var alone = await ConverseAsync("alone", 40);
        var others = Enumerable.Range(1, 15).Select(i => SendAsync(Key("other" + i), Say(new string((char)('a' + i), 7 * i), 10 + 3 * i)));
        var together = ConverseAsync("together", 40);
        await Task.WhenAll([.. others, together]);

        Assert.Equal(alone, await together);
    }

    [Fact(Timeout = Limit)]
    public async Task TenantsDontSeeEachOther()
    {
        var (mine, theirs) = (Key("same"), new SessionKey(_tenant + "-other", "same"));
        await SendAsync(mine, Say("secret"));
        var other = await SendAsync(theirs, Say("hello"));

        Assert.Equal(0, other.Started.CachedTokens);
        Assert.Equal("hello", (await Host.GetAsync(theirs))!.Messages[0].Content);
        Assert.Equal([_tenant], (await Host.ListAsync(_tenant)).Select(s => s.Tenant));
        Assert.True(await Host.DeleteAsync(theirs));
        Assert.NotNull(await Host.GetAsync(mine));
    }

    [Fact(Timeout = Limit)]
    public async Task TheListHasTheLastUsedFirstWithoutMessages()
    {
        foreach (var session in new[] { "a", "b", "c", "a" })
        {
            await SendAsync(Key(session), Say("hello"));
            await fixture.PassTimeAsync();
        }

        var all = await Host.ListAsync(_tenant);
        Assert.Equal(["a", "c", "b"], all.Select(s => s.Id));
        Assert.All(all, s => Assert.Empty(s.Messages));
        Assert.Equal((2, "idle"), (all[0].Turns, all[0].State));
        Assert.Equal(["a", "c"], (await Host.ListAsync(_tenant, 2)).Select(s => s.Id));
    }
}
