using LServe.Sessions;
using LServe.Stores.Local;
using LServe.Tests.Support;

namespace LServe.Tests.Contracts;

/// <summary>The state database with one bit turned: noticed or harmless, and what is read of another session is what was written.</summary>
public sealed class DatabaseFlipTests : IDisposable
{
    private const int Seed = 7, Flips = 400;
    private readonly TemporaryFolder _folder = new();
    private LocalStore? _open;

    public void Dispose()
    {
        _open?.Dispose();
        _folder.Dispose();
    }

    private ISessionStore CreateStore() => (_open = LocalStore.Open(new() { Folder = _folder.Path })).Sessions;

    [Fact]
    public async Task AFlippedBitIsNoticedOrHarmless()
    {
        var saved = await SaveSessionsAsync();
        var path = Path.Combine(_folder.Path, "sessions.db");
        var whole = await File.ReadAllBytesAsync(path);
        var random = new Random(Seed);
        var noticed = 0;
        for (var i = 0; i < Flips; i++)
        {
            var at = random.Next(whole.Length);
            var damaged = (byte[])whole.Clone();
            damaged[at] ^= (byte)(1 << random.Next(8));
            await File.WriteAllBytesAsync(path, damaged);
            foreach (var extra in new[] { "-wal", "-shm" }) File.Delete(path + extra);
            noticed += await CheckAsync(saved, $"seed {Seed}, flip {i} at byte {at}");
        }
        Assert.InRange(noticed, 1, Flips * saved.Count);
    }

    private async Task<List<SessionSnapshot>> SaveSessionsAsync()
    {
        var store = CreateStore();
        var saved = new List<SessionSnapshot>();
        foreach (var name in new[] { "a", "b", "c" }) saved.Add((await SessionStoreContract.SaveTurnsAsync(store, 5, name))[^1]);
        _open!.Dispose();
        return saved;
    }

    /// <summary>How many sessions were found damaged; any that is read is read right.</summary>
    private async Task<int> CheckAsync(List<SessionSnapshot> saved, string where)
    {
        LocalStore store;
        try
        {
            store = LocalStore.Open(new() { Folder = _folder.Path });
        }
        catch (SessionStoreException)
        {
            return saved.Count;
        }
        using (store)
        {
            var noticed = 0;
            foreach (var expected in saved)
                try
                {
                    var loaded = await store.Sessions.LoadAsync(expected.Key);
                    Assert.True(loaded is not null, where + ": the session is gone without a word");
                    SessionStoreContract.AssertSame(expected, loaded.Snapshot with { Kv = expected.Kv });
                    // A record that is missing is computed again; one that is there must be the right one.
                    Assert.All(loaded.Snapshot.Kv, record => Assert.Equal(expected.Kv[record.Key], record.Value));
                }
                catch (SessionStoreException)
                {
                    noticed++;
                }
            return noticed;
        }
    }
}
