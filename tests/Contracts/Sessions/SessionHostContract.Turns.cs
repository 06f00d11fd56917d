using LServe.Contracts;
using LServe.Model;

namespace LServe.Tests.Contracts;

public abstract partial class SessionHostContract
{
    [Fact(Timeout = Limit)]
    public async Task ATurnMaySayThatItsPagesAreNotNeededAnyMore()
    {
        await SendAsync(Key(), Say("hello") with { KeepAlive = 0 });
        Assert.Equal("cold", (await Host.GetAsync(Key()))!.State);
        Assert.Equal(0, (await SendAsync(Key(), Say("more") with { KeepAlive = 1 })).Started.CachedTokens);
        Assert.Equal("idle", (await Host.GetAsync(Key()))!.State);
        var refusal = await Assert.ThrowsAsync<LServeException>(() => SendAsync(Key(), Say("more") with { KeepAlive = -1 }));
        Assert.Equal((ErrorCode.InvalidRequest, "keep_alive"), (refusal.Error.Code, refusal.Error.Param));
    }

    [Fact(Timeout = Limit)]
    public async Task TheSecondTurnReusesTheTokensOfTheFirst()
    {
        var first = await SendAsync(Key(), Say("hello"));
        var second = await SendAsync(Key(), Say("and now?"));

        Assert.Equal((0, 12, FinishReason.Length), (first.Started.CachedTokens, first.Usage.CompletionTokens, first.Reason));
        Assert.Equal(first.Usage.PromptTokens + 12, first.Usage.SessionTokens);
        // The last token drawn has no keys and values yet.
        Assert.Equal(first.Usage.SessionTokens - 1, second.Usage.CachedTokens);
        Assert.True(second.Usage.PromptTokens > first.Usage.SessionTokens);
        var info = await Host.GetAsync(Key());
        Assert.Equal(["hello", first.Text, "and now?", second.Text], info!.Messages.Select(m => m.Content));
        Assert.Equal((2, "idle", second.Usage.SessionTokens), (info.Turns, info.State, info.Tokens));
    }

    [Fact(Timeout = Limit)]
    public async Task RepeatingTheHistoryIsTheSameAsSendingOnlyWhatIsNew()
    {
        var first = await SendAsync(Key("new"), Say("hello"));
        var onlyNew = await SendAsync(Key("new"), Say("more"));
        await SendAsync(Key("all"), Say("hello"));
        var all = await SendAsync(Key("all"), Say([new("user", "hello"), new("assistant", first.Text), new("user", "more")]));

        Assert.Equal((onlyNew.Text, onlyNew.Usage), (all.Text, all.Usage));
    }

    [Theory(Timeout = Limit)]
    [InlineData("user", "hellO", "messages[0].content", "from character 4 on")]
    [InlineData("system", "hello", "messages[0].role", "the role system")]
    public async Task ContradictingTheHistoryIsAConflictThatSaysWhere(string role, string content, string param, string place)
    {
        var first = await SendAsync(Key(), Say("hello"));
        var error = await FailureOfAsync(Host.SendAsync(Key(), Say([new(role, content), new("assistant", first.Text), new("user", "more")])));

        Assert.Equal((ErrorCode.SessionConflict, param, false), (error.Code, error.Param, error.Retryable));
        Assert.Contains(place, error.Message);
        Assert.Equal(1, (await Host.GetAsync(Key()))!.Turns);
    }

    [Fact(Timeout = Limit)]
    public async Task RepeatingTheHistoryWithNothingNewIsAConflict()
    {
        var first = await SendAsync(Key(), Say("hello"));
        var error = await FailureOfAsync(Host.SendAsync(Key(), Say([new("user", "hello"), new("assistant", first.Text)])));

        Assert.Equal((ErrorCode.SessionConflict, "messages"), (error.Code, error.Param));
    }

    [Fact(Timeout = Limit)]
    public async Task RepeatingTheLastTurnIdGivesItsResultAndRunsNothing()
    {
        var first = await SendAsync(Key(), Say("hello") with { TurnId = "one" });
        var drawn = fixture.GeneratedTokens;
        var again = await SendAsync(Key(), Say("something else") with { TurnId = "one" });

        Assert.True(again.Started.Repeated);
        Assert.Equal((first.Text, first.Completed), (again.Text, again.Completed));
        Assert.Equal((1, "one"), ((await Host.GetAsync(Key()))!.Turns, (await Host.GetAsync(Key()))!.LastTurnId));
        Assert.Equal(drawn, fixture.GeneratedTokens);
    }

    [Fact(Timeout = Limit)]
    public async Task RawPromptsContinueRawPromptsAndNoChat()
    {
        TurnRequest Raw(string text) => new() { Prompt = text, Sampling = new() { Temperature = 0, MaxTokens = 4 } };
        var first = await SendAsync(Key(), Raw("abc"));
        var second = await SendAsync(Key(), Raw("def"));
        var error = await FailureOfAsync(Host.SendAsync(Key(), Say("hello")));

        Assert.Equal(first.Usage.SessionTokens + 3, second.Usage.PromptTokens);
        Assert.Equal(ErrorCode.SessionConflict, error.Code);
    }

    [Fact(Timeout = Limit)]
    public async Task LogprobsOfAllTokensArrive()
    {
        var request = Say("hello") with { Sampling = new() { Temperature = 0, MaxTokens = 5, Logprobs = true, TopLogprobs = 2, Seed = 7, LogitBias = new Dictionary<int, float> { [80] = -1 } } };
        var answer = await SendAsync(Key(), request);

        var logprobs = answer.Events.OfType<TextDelta>().SelectMany(d => d.Logprobs!).ToArray();
        Assert.Equal((5, answer.Text), (logprobs.Length, string.Concat(logprobs.Select(l => l.Text))));
        Assert.All(logprobs, l => Assert.Equal((2, l.Token), (l.Top!.Count, l.Top[0].Token)));
    }

    [Fact(Timeout = Limit)]
    public async Task AStopStringAcrossTokensLeavesTheConversationThatAFreshOneWithThatHistoryHas()
    {
        var (prompt, kept, stop) = await FindStopAsync();
        var stopped = await SendAsync(Key("stopped"), Say(prompt, 24) with { Sampling = new() { Temperature = 0, MaxTokens = 24, Stop = [stop] } });
        var next = await SendAsync(Key("stopped"), Say("more"));
        var fresh = await SendAsync(Key("fresh"), Say([new("user", prompt), new("assistant", kept), new("user", "more")]));

        Assert.Equal((kept, FinishReason.Stop), (stopped.Text, stopped.Reason));
        Assert.Equal((fresh.Usage.PromptTokens, fresh.Text), (next.Usage.PromptTokens, next.Text));
    }

    [Fact(Timeout = Limit)]
    public async Task AStatelessTurnKeepsNothing()
    {
        await EvictAllAsync();
        var answer = await Answer.ReadAsync(Host.RunAsync(_tenant, Say("hello")));
        var kept = await SendAsync(Key(), Say("hello"));
        await Host.DeleteAsync(Key());

        Assert.Equal((kept.Text, kept.Completed), (answer.Text, answer.Completed));
        Assert.Empty(await Host.ListAsync(_tenant));
        await EventuallyAsync(() => fixture.PagesUsed == 0);
    }

    /// <summary>
    /// A prompt whose answer is spelled with the tokens that its text is read as, so that a fresh conversation has the same ones, and
    /// three characters of it, of more than one token, that occur there first.
    /// </summary>
    private async Task<(string Prompt, string Kept, string Stop)> FindStopAsync()
    {
        const int at = 8, length = 3;
        for (var i = 0; ; i++)
        {
            var prompt = "prompt " + i;
            var answer = await Answer.ReadAsync(Host.RunAsync(_tenant, Say(prompt, 24)));
            if (answer.Text.Length < at + length) continue;
            var (kept, stop) = (answer.Text[..at], answer.Text.Substring(at, length));
            if (IsSpelledAsDrawn(answer) && fixture.Model.Tokenizer.Encode(stop).Length > 1 && answer.Text.IndexOf(stop, StringComparison.Ordinal) == at)
                return (prompt, kept, stop);
        }
    }

    private bool IsSpelledAsDrawn(Answer answer)
    {
        var drawn = answer.Events.OfType<TextDelta>().Select(d => d.Text).ToArray();
        var read = fixture.Model.Tokenizer.Encode(answer.Text).Select(t => fixture.Model.Tokenizer.Decode([t]));
        return read.SequenceEqual(drawn);
    }
}
