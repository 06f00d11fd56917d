using LServe.Cli;
using LServe.Cli.Sessions;
using LServe.Client;
using LServe.Contracts;
using LServe.Inference;
using LServe.Sessions;
using LServe.Stores.Local;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Client;

public sealed class SessionDoorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new(), _files = new();

    public void Dispose()
    {
        _folder.Dispose();
        _files.Dispose();
    }

    [Fact]
    public async Task AFolderThatNoServerHasIsWorkedOnDirectly()
    {
        await KeepAsync("trip", turns: 2);
        var file = Path.Combine(_files.Path, "trip.lserve");
        foreach (var command in new[]
        {
            $"sessions fork trip early --turn 1", "sessions fork trip sparse --attention lserve", $"sessions export trip --out {file} --pages", "sessions rewind trip 1", $"sessions import {file} --name later",
            "sessions show later", "sessions delete trip", "sessions list",
        })
            Assert.Equal(0, await RunAsync(command));

        var archive = (StoredSessions)await SessionDoor.OpenAsync(null, _folder.Path, default);
        var kept = (await archive.ListAsync()).OrderBy(session => session.Id).Select(session => (session.Id, session.Turns));
        Assert.Equal([("early", 1), ("later", 2), ("sparse", 2)], kept);
        Assert.Equal("turn 2", (await archive.GetAsync("later"))!.Messages[^1].Content);
        archive.Dispose();
        using var store = LocalStore.Open(new() { Folder = _folder.Path });
        foreach (var (name, attention) in new[] { ("early", AttentionMode.Dense), ("sparse", AttentionMode.LServe) })
            Assert.Equal(attention, (await store.Sessions.LoadAsync(new(SessionKey.DefaultTenant, name)))!.Snapshot.Attention);
    }

    [Theory]
    [InlineData("sessions show nobody")]
    [InlineData("sessions rewind trip 7")]
    [InlineData("sessions fork trip trip")]
    [InlineData("sessions export nobody")]
    [InlineData("sessions import nothing.lserve")]
    public async Task WhatCanNotBeDoneEndsWithCode2AndChangesNothing(string command)
    {
        await KeepAsync("trip", turns: 1);
        Assert.Equal(CommandRunner.Refused, await RunAsync(command));
        using var archive = (StoredSessions)await SessionDoor.OpenAsync(null, _folder.Path, default);
        Assert.Equal(["trip"], (await archive.ListAsync()).Select(session => session.Id));
    }

    [Fact]
    public async Task AFolderThatAServerHasIsReachedThroughIt()
    {
        using var server = LocalStore.Open(new() { Folder = _folder.Path });
        await Assert.ThrowsAsync<UsageException>(() => SessionDoor.OpenAsync(null, _folder.Path, default));
        server.Announce(new("http://127.0.0.1:1/"));
        using var client = Assert.IsType<LServeClient>(await SessionDoor.OpenAsync(null, _folder.Path, default));
    }

    private Task<int> RunAsync(string command) => CommandRunner.RunAsync(Commands.Create(), [.. command.Split(' '), "--session-dir", _folder.Path]);

    private async Task KeepAsync(string name, int turns)
    {
        using var store = LocalStore.Open(new() { Folder = _folder.Path });
        string? etag = null;
        for (var turn = 1; turn <= turns; turn++)
            etag = await store.Sessions.SaveAsync(new()
            {
                Key = new(SessionKey.DefaultTenant, name), Model = "m", Tokens = [.. Enumerable.Range(0, 10 * turn)], Runs = [.. Enumerable.Range(1, turn).Select(t => new TokenRun(10 * t, SliceKind.Prefill))],
                Messages = [.. Enumerable.Range(1, turn).Select(t => new KeptMessage("user", $"turn {t}", 10 * t))], Turns = turn, LastTurn = null,
                Created = DateTimeOffset.UnixEpoch, LastUsed = DateTimeOffset.UnixEpoch,
            }, etag);
    }
}
