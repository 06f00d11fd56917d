using LServe.Sessions;
using LServe.Stores.Local;
using LServe.Tests.Support;

namespace LServe.Tests.Contracts;

/// <summary>Commits that wait for a slow disk together are made together, each for itself.</summary>
public sealed class CommitGroupTests : IDisposable
{
    private const int Sessions = 150;

    private readonly TemporaryFolder _folder = new();
    private readonly ManualResetEventSlim _slowDisk = new(initialState: true), _waits = new();
    private int _syncs;

    [Fact]
    public async Task ConversationsThatEndTurnsAtOnceWaitForTheDiskAFewTimesTogether()
    {
        using (var store = LocalStore.Open(new() { Folder = _folder.Path, AtPoint = AtPoint }))
        {
            _slowDisk.Reset();
            var first = SaveAsync(store, "first");
            _waits.Wait();
            var (all, wrong) = (Enumerable.Range(0, Sessions).Select(i => SaveAsync(store, $"s{i}")).ToList(), store.Sessions.SaveAsync(TurnOf("x"), "9").AsTask());
            _syncs = 0;
            _slowDisk.Set();
            await Task.WhenAll(all.Append(first));
            await Assert.ThrowsAsync<SessionStoreConflictException>(() => wrong);
            // The first one's, and three of 64 at most; not 150.
            Assert.InRange(_syncs, 3, 5);
        }
        using var again = LocalStore.Open(new() { Folder = _folder.Path });
        for (var i = 0; i < Sessions; i++) SessionStoreContract.AssertSame(TurnOf($"s{i}"), (await again.Sessions.LoadAsync(new("t", $"s{i}")))!.Snapshot);
        Assert.Null(await again.Sessions.LoadAsync(new("t", "x")));
    }

    private static SessionSnapshot TurnOf(string session) => SessionStoreContract.Next(SessionStoreContract.Begin("t", session), 1);

    private static async Task SaveAsync(LocalStore store, string session) => await store.Sessions.SaveAsync(TurnOf(session), null);

    private void AtPoint(string point)
    {
        if (point != FaultPoints.JournalSync) return;
        Interlocked.Increment(ref _syncs);
        _waits.Set();
        _slowDisk.Wait();
    }

    public void Dispose()
    {
        _slowDisk.Dispose();
        _waits.Dispose();
        _folder.Dispose();
    }
}
