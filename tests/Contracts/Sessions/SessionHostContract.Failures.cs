using LServe.Contracts;

namespace LServe.Tests.Contracts;

public abstract partial class SessionHostContract
{
    public static TheoryData<string, TurnRequest, ErrorCode, string> WrongRequests => new()
    {
        { "negative temperature", Say("a") with { Sampling = new() { Temperature = -1 } }, ErrorCode.InvalidRequest, "temperature" },
        { "too many stops", Say("a") with { Sampling = new() { Stop = [.. Enumerable.Repeat("x", 17)] } }, ErrorCode.InvalidRequest, "stop" },
        { "bias of no token", Say("a") with { Sampling = new() { LogitBias = new Dictionary<int, float> { [-1] = 1 } } }, ErrorCode.InvalidRequest, "logit_bias" },
        { "no messages", Say([]), ErrorCode.InvalidRequest, "messages" },
        { "nothing", new(), ErrorCode.InvalidRequest, "messages" },
        { "two forms", Say("a") with { Prompt = "b" }, ErrorCode.InvalidRequest, "messages" },
        { "unknown role", Say([new("tool", "a")]), ErrorCode.InvalidRequest, "messages[0].role" },
        { "empty turn id", Say("a") with { TurnId = "" }, ErrorCode.InvalidRequest, "turn_id" },
        { "no such token", new() { PromptTokens = [99_999] }, ErrorCode.InvalidRequest, "prompt" },
        { "longer than the context", Say(new string('x', 600)), ErrorCode.ContextLengthExceeded, "messages" },
    };

    [Theory(Timeout = Limit)]
    [MemberData(nameof(WrongRequests), DisableDiscoveryEnumeration = true)]
    public async Task AWrongRequestIsRefusedAndNamesTheField(string what, TurnRequest request, ErrorCode code, string param)
    {
        await EvictAllAsync();
        var error = await FailureOfAsync(Host.SendAsync(Key(), request));
        var stateless = await FailureOfAsync(Host.RunAsync(_tenant, request));

        Assert.Equal((what, code, param, false), (what, error.Code, error.Param, error.Retryable));
        Assert.Equal(error, stateless);
        Assert.Null(await Host.GetAsync(Key()));
        Assert.Equal(0, fixture.PagesUsed);
    }

    [Fact(Timeout = Limit)]
    public async Task AfterAFailedStepTheSessionGoesOnFromItsLastTurn()
    {
        await SendAsync(Key("well"), Say("hello"));
        var expected = await SendAsync(Key("well"), Say("more"));
        await SendAsync(Key(), Say("hello"));
        fixture.Gate.FailNext();
        var error = await FailureOfAsync(Host.SendAsync(Key(), Say("lost") with { TurnId = "two" }));
        var answer = await SendAsync(Key(), Say("more") with { TurnId = "two" });

        Assert.Equal((ErrorCode.Internal, true), (error.Code, error.Retryable));
        Assert.Equal((expected.Text, 2), (answer.Text, (await Host.GetAsync(Key()))!.Turns));
    }

    [Fact(Timeout = Limit)]
    public async Task WhatIsNotThereIsNotFound()
    {
        Assert.Null(await Host.GetAsync(Key()));
        Assert.Empty(await Host.ListAsync(_tenant));
        Assert.False(await Host.CancelAsync(Key()));
        Assert.False(await Host.ReleaseAsync(Key()));
        Assert.False(await Host.DeleteAsync(Key()));
    }

    [Fact(Timeout = Limit)]
    public async Task TheStatusTellsTheModelAndItsWork()
    {
        await SendAsync(Key(), Say("hello"));
        var status = Host.Status;

        Assert.Equal((fixture.Model.Config.Name, true, true, 512), (status.Model, status.CanChat, status.Ready, status.ContextLength));
        Assert.InRange(status.PagesTotal, 1, int.MaxValue);
    }
}
