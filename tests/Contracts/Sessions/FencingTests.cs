using LServe.Contracts;
using LServe.Inference;
using LServe.Sessions;

namespace LServe.Tests.Contracts;

/// <summary>One session in two processes at once, as when a silo is taken for dead and isn't: of two commits one holds.</summary>
public sealed class FencingTests : IAsyncLifetime
{
    private readonly SessionKey _key = new("t", "s");
    private readonly TwoProcesses _processes = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _processes.DisposeAsync();

    [Fact]
    public async Task OfTwoTurnsAtOnceOneIsCommittedAndTheOtherMayBeSentAgain()
    {
        var (zombie, survivor) = (_processes.NewSession(_key), _processes.NewSession(_key));
        await SayAsync(zombie, "one", "hello");
        await SayAsync(survivor, "two", "and now?");

        var error = (await Assert.ThrowsAsync<LServeException>(() => SayAsync(zombie, "three", "I live"))).Error;

        Assert.Equal((ErrorCode.Overloaded, true), (error.Code, error.Retryable));
        var kept = await survivor.DescribeAsync();
        Assert.Equal((2, "two"), (kept!.Turns, kept.LastTurnId));
        var again = await SayAsync(survivor, "three", "I live");
        Assert.False(again.Started.Repeated);
        Assert.Equal(3, (await zombie.DescribeAsync())!.Turns);
    }

    [Fact]
    public async Task ASessionThatWasHandedOverIsFencedAsOneThatWasLoaded()
    {
        var first = _processes.NewSession(_key);
        await SayAsync(first, "one", "hello");
        await first.CloseAsync();
        var handover = SessionHandover.Read(first.HandOver()!.Write())!;
        var (taken, other) = (_processes.NewSession(_key, handover), _processes.NewSession(_key));
        await SayAsync(other, "two", "and now?");

        var error = (await Assert.ThrowsAsync<LServeException>(() => SayAsync(taken, "three", "more"))).Error;

        Assert.True(error.Retryable);
        Assert.False((await SayAsync(taken, "three", "more")).Started.Repeated);
        Assert.Equal(["hello", "and now?", "more"], (await _processes.NewSession(_key).DescribeAsync())!.Messages.Where(m => m.Role == ChatMessage.User).Select(m => m.Content));
    }

    [Fact]
    public async Task WhatIsHandedOverIsAllThatWasKnown()
    {
        var session = _processes.NewSession(_key);
        await SayAsync(session, "one", "hello");
        await session.CloseAsync();
        var handover = session.HandOver()!;

        var read = SessionHandover.Read(handover.Write())!;

        Assert.Equal(handover.ETag, read.ETag);
        Assert.Equivalent(handover.Snapshot, read.Snapshot, strict: true);
        Assert.Null(SessionHandover.Read("{}"u8));
        Assert.Null(SessionHandover.Read("no json"u8));
    }

    private static Task<Answer> SayAsync(Session session, string turn, string text) => Answer.ReadAsync(session.SendAsync(new()
    {
        TurnId = turn, Messages = [new(ChatMessage.User, text)], Sampling = new() { Temperature = 0, MaxTokens = 8, IgnoreEnd = true },
    }));
}
