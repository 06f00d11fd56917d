using LServe.Contracts;

namespace LServe.Tests.Contracts;

public abstract partial class SessionHostContract
{
    [Fact(Timeout = Limit)]
    public async Task ARewoundSessionGoesOnAsItDidThen()
    {
        var first = await SendAsync(Key(), Say("hello"));
        var second = await SendAsync(Key(), Say("more"));
        await SendAsync(Key(), Say("and more"));
        var rewound = await Host.RewindAsync(Key(), 1);
        var again = await SendAsync(Key(), Say("more"));

        Assert.Equal((1, first.Usage.SessionTokens), (rewound!.Turns, rewound.Tokens));
        Assert.Equal((second.Text, second.Usage.SessionTokens), (again.Text, again.Usage.SessionTokens));
        Assert.Equal(["hello", first.Text, "more", second.Text], (await Host.GetAsync(Key()))!.Messages.Select(m => m.Content));
    }

    [Fact(Timeout = Limit)]
    public async Task AForkGoesOnByItselfFromTheTurnItWasMadeAt()
    {
        await SendAsync(Key(), Say("hello"));
        var second = await SendAsync(Key(), Say("more"));
        var early = await Host.ForkAsync(Key(), Key("early"), 1);
        var late = await Host.ForkAsync(Key(), Key("late"));
        var again = await SendAsync(Key("early"), Say("more"));

        Assert.Equal(("early", 1, 2), (early!.Id, early.Turns, late!.Turns));
        Assert.Equal(second.Text, again.Text);
        Assert.Equal((await SendAsync(Key(), Say("on"))).Text, (await SendAsync(Key("late"), Say("on"))).Text);
    }

    [Fact(Timeout = Limit)]
    public async Task AnExportedSessionGoesOnUnderAnotherNameAsItWouldHave()
    {
        await SendAsync(Key(), Say("hello"));
        await SendAsync(Key(), Say("more"));
        using var file = new MemoryStream();
        Assert.True(await Host.ExportAsync(Key(), withPages: true, file));
        file.Position = 0;
        var copy = await Host.ImportAsync(Key().Tenant, Key("copy").Session, file);

        Assert.Equal(("copy", 2), (copy.Id[^4..], copy.Turns));
        Assert.Equal((await SendAsync(Key(), Say("on"))).Text, (await SendAsync(Key("copy"), Say("on"))).Text);
        Assert.Equal((await Host.GetAsync(Key()))!.Messages, (await Host.GetAsync(Key("copy")))!.Messages);
        file.Position = 0;
        var taken = await Assert.ThrowsAsync<LServeException>(async () => await Host.ImportAsync(Key().Tenant, Key("copy").Session, file));
        Assert.Equal(ErrorCode.SessionConflict, taken.Error.Code);
        Assert.False(await Host.ExportAsync(Key("nobody"), withPages: false, file));
    }

    [Fact(Timeout = Limit)]
    public async Task WhereThereIsNoWayToItSaysSo()
    {
        Assert.Null(await Host.RewindAsync(Key(), 1));
        Assert.Null(await Host.ForkAsync(Key(), Key("other")));
        await SendAsync(Key(), Say("hello"));
        await SendAsync(Key("other"), Say("hello"));

        async Task<ErrorInfo> ErrorOfAsync(Func<ValueTask<SessionInfo?>> call) => (await Assert.ThrowsAsync<LServeException>(async () => await call())).Error;
        Assert.Equal((ErrorCode.InvalidRequest, "turn"), await ErrorOfAsync(() => Host.RewindAsync(Key(), 2)) is var e ? (e.Code, e.Param) : default);
        Assert.Equal((ErrorCode.InvalidRequest, "turn"), await ErrorOfAsync(() => Host.ForkAsync(Key(), Key("new"), 9)) is var f ? (f.Code, f.Param) : default);
        Assert.Equal((ErrorCode.SessionConflict, "session_id"), await ErrorOfAsync(() => Host.ForkAsync(Key(), Key("other"))) is var g ? (g.Code, g.Param) : default);
    }
}
