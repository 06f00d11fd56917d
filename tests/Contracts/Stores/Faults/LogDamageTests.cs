using LServe.Sessions;
using LServe.Stores.Local;
using LServe.Tests.Support;

namespace LServe.Tests.Contracts;

/// <summary>
/// After a kill, a bit is turned in SQLite's log or in the journal beside it: SQLite drops what is behind a damaged frame without a
/// word, and no acknowledged commit may be lost by that.
/// </summary>
public sealed class LogDamageTests : IDisposable
{
    private const int Seed = 11, Flips = 300;
    private readonly TemporaryFolder _folder = new(), _killed = new();

    public void Dispose()
    {
        _folder.Dispose();
        _killed.Dispose();
    }

    [Theory]
    [InlineData("sessions.db-wal")]
    [InlineData("commits.log")]
    public async Task AFlippedBitAfterAKillLosesNoCommit(string file)
    {
        var expected = await RunAndKillAsync();
        var whole = await File.ReadAllBytesAsync(Path.Combine(_killed.Path, file));
        var (random, putBack) = (new Random(Seed), 0);
        for (var i = 0; i < Flips; i++)
        {
            Restore();
            var at = random.Next(whole.Length);
            var damaged = (byte[])whole.Clone();
            damaged[at] ^= (byte)(1 << random.Next(8));
            await File.WriteAllBytesAsync(Path.Combine(_folder.Path, file), damaged);
            using var store = LocalStore.Open(new() { Folder = _folder.Path });
            putBack += store.Notes.Count;
            await AssertKeptAsync(store, expected, $"seed {Seed}, flip {i} at byte {at}");
        }
        Assert.Equal(file == "sessions.db-wal", putBack > 0);
    }

    [Theory]
    [InlineData(Fault.Kill)]
    [InlineData(Fault.DiskFull)]
    public async Task WhateverHappensWhilePuttingBackTheNextStartDoesIt(Fault fault)
    {
        var expected = await RunAndKillAsync();
        var struck = 0;
        for (var at = 1; ; at++)
        {
            Restore();
            File.Delete(Path.Combine(_folder.Path, "sessions.db-wal"));
            var files = new FaultyFiles(fault, at);
            try
            {
                LocalStore.Open(new() { Folder = _folder.Path }, files).Dispose();
            }
            catch (Exception failure) when (failure is SimulatedKill or SessionStoreException)
            {
                struck++;
            }
            using var store = LocalStore.Open(new() { Folder = _folder.Path });
            await AssertKeptAsync(store, expected, $"{fault} at operation {at}");
            if (files.Struck is null) break;
        }
        Assert.True(struck > 0);
    }

    [Fact]
    public async Task TurnsThatAreLostInBothAreMissedAndTheSessionGoesOnWhenItIsRewound()
    {
        var store = LocalStore.Open(new() { Folder = _folder.Path });
        var saved = await SessionStoreContract.SaveTurnsAsync(store.Sessions, 2, "a");
        store.Dispose();
        store = LocalStore.Open(new() { Folder = _folder.Path });
        var third = saved[1] with { Turns = 3, Tokens = [.. saved[1].Tokens, 1] };
        await store.Sessions.SaveAsync(third, (await store.Sessions.LoadAsync(third.Key))!.ETag);
        var first = new FileInfo(Path.Combine(_folder.Path, "commits.log")).Length;
        await store.Sessions.SaveAsync(third with { Turns = 4, Tokens = [.. third.Tokens, 2] }, (await store.Sessions.LoadAsync(third.Key))!.ETag);
        CopyAsKilled();
        store.Dispose();
        Restore();
        File.Delete(Path.Combine(_folder.Path, "sessions.db-wal"));
        var journal = await File.ReadAllBytesAsync(Path.Combine(_folder.Path, "commits.log"));
        await File.WriteAllBytesAsync(Path.Combine(_folder.Path, "commits.log"), journal[(int)first..]);

        using (var again = LocalStore.Open(new() { Folder = _folder.Path }))
        {
            var refusal = await Assert.ThrowsAsync<SessionStoreException>(async () => await again.Sessions.LoadAsync(third.Key));
            Assert.Contains("had 4 turns, and its database has 2", refusal.Message);
        }
        using var last = LocalStore.Open(new() { Folder = _folder.Path });
        Assert.Equal(2, (await last.Sessions.RewindAsync(third.Key, 2, null))!.Snapshot.Turns);
        SessionStoreContract.AssertSame(saved[1], (await last.Sessions.LoadAsync(third.Key))!.Snapshot);
    }

    /// <summary>Saves, rewinds and deletes; a copy of the folder as a kill leaves it, and what is kept of each session.</summary>
    private async Task<Dictionary<string, SessionSnapshot?>> RunAndKillAsync()
    {
        using var store = LocalStore.Open(new() { Folder = _folder.Path });
        var kept = new Dictionary<string, SessionSnapshot?>();
        foreach (var name in new[] { "a", "b", "c", "d" }) kept[name] = (await SessionStoreContract.SaveTurnsAsync(store.Sessions, 4, name))[^1];
        kept["b"] = (await store.Sessions.RewindAsync(new("t", "b"), 2, null))!.Snapshot;
        await store.Sessions.DeleteAsync(new("t", "c"));
        kept["c"] = null;
        CopyAsKilled();
        return kept;
    }

    private static async Task AssertKeptAsync(LocalStore store, Dictionary<string, SessionSnapshot?> expected, string where)
    {
        foreach (var (name, snapshot) in expected)
        {
            var found = await store.Sessions.LoadAsync(new("t", name));
            Assert.True(found is null == snapshot is null, $"{where}: session {name} {(found is null ? "is gone" : "is there again")}");
            if (snapshot is null) continue;
            // Records that were lost are computed again; those that are there must be the right ones.
            Assert.All(found!.Snapshot.Kv, record => Assert.Equal(snapshot.Kv[record.Key], record.Value));
            SessionStoreContract.AssertSame(snapshot, found.Snapshot with { Kv = snapshot.Kv });
        }
    }

    private void CopyAsKilled() => Copy(_folder.Path, _killed.Path);

    private void Restore() => Copy(_killed.Path, _folder.Path);

    private static void Copy(string from, string to)
    {
        foreach (var old in Directory.GetFiles(to)) File.Delete(old);
        foreach (var file in Directory.GetFiles(from).Where(file => Path.GetFileName(file) != "lock")) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }
}
