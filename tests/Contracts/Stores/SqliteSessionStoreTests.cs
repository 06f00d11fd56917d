using LServe.Sessions;
using LServe.Stores.Local;
using LServe.Tests.Support;

namespace LServe.Tests.Contracts;

public sealed class SqliteSessionStoreTests : SessionStoreContract, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private LocalStore? _store;

    public void Dispose()
    {
        _store?.Dispose();
        _folder.Dispose();
    }

    protected override ISessionStore CreateStore() => Reopen().Sessions;

    [Fact]
    public async Task WhatWasSavedIsThereWhenTheFolderIsOpenedAgain()
    {
        var saved = await SaveTurnsAsync(CreateStore(), 3);
        var again = Reopen().Sessions;

        AssertSame(saved[2], (await again.LoadAsync(saved[0].Key))!.Snapshot);
        AssertSame(saved[0], (await again.LoadTurnAsync(saved[0].Key, 1))!.Snapshot);
    }

    [Fact]
    public void AFolderInUseIsRefused()
    {
        Reopen();
        var refusal = Assert.Throws<SessionStoreException>(() => LocalStore.Open(new() { Folder = _folder.Path }));

        Assert.Equal(StoreFailure.Unavailable, refusal.Failure);
        Assert.Contains("in use by another process", refusal.Message);
    }

    [Fact]
    public async Task RecordsStayForTheTurnsThatAreKeptAndTranscriptsForAll()
    {
        var saved = await SaveTurnsAsync(CreateStore(), 12);
        var store = _store!.Sessions;

        foreach (var turn in saved)
        {
            var loaded = (await store.LoadTurnAsync(turn.Key, turn.Turns))!.Snapshot;
            Assert.Equal(turn.Tokens, loaded.Tokens);
            Assert.Equal(turn.Turns > 12 - LocalStoreOptions.DefaultKeepTurns, loaded.Kv.ContainsKey(new(KvRecordKind.Selection)));
        }
    }

    [Fact]
    public async Task ATurnOfALongSessionWritesWhatIsNew()
    {
        var store = CreateStore();
        var longOne = Next(Snapshot("t", "s", 0), 1) with { Tokens = Enumerable.Range(0, 100_000).ToArray(), Runs = [] };
        var etag = await store.SaveAsync(longOne, null);
        var before = new FileInfo(Path.Combine(_folder.Path, "sessions.db-wal")).Length;
        await store.SaveAsync(longOne with { Tokens = [.. longOne.Tokens, 1, 2, 3], Turns = 2 }, etag);

        Assert.InRange(new FileInfo(Path.Combine(_folder.Path, "sessions.db-wal")).Length - before, 1, 64 << 10);
    }

    [Fact]
    public async Task ADatabaseOfALaterVersionIsRefused()
    {
        await SaveTurnsAsync(CreateStore(), 1);
        _store!.Dispose();
        using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(_folder.Path, "sessions.db")};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA user_version = 1000";
            command.ExecuteNonQuery();
        }

        Assert.Equal(StoreFailure.TooNew, Assert.Throws<SessionStoreException>(Reopen).Failure);
    }

    private LocalStore Reopen()
    {
        _store?.Dispose();
        return _store = LocalStore.Open(new() { Folder = _folder.Path });
    }
}
