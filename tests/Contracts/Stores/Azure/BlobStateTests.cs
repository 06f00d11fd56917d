using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using LServe.Contracts;
using LServe.Sessions;
using LServe.Stores.AzureBlob;

namespace LServe.Tests.Contracts;

/// <summary>What the state of sessions in blobs promises beyond the contract: cost, fencing between processes, damage.</summary>
public sealed class BlobStateTests(AzuriteFixture azurite) : IClassFixture<AzuriteFixture>
{
    private static readonly SessionKey s_key = new("t", "s");

    [AzuriteFact]
    public async Task ACommitIsTwoRequestsAndItsBytesGrowWithTheTurn()
    {
        var log = new RequestLog();
        var store = (await azurite.OpenAsync(azurite.NewContainer() with { Observer = log })).Sessions;
        var longOne = (await SessionStoreContract.SaveTurnsAsync(store, 1))[0] with { Tokens = Enumerable.Range(0, 100_000).ToArray(), Runs = [], Turns = 2 };
        var etag = await store.SaveAsync(longOne, (await store.LoadAsync(s_key))!.ETag);
        log.Requests.Clear();
        await store.SaveAsync(longOne with { Tokens = [.. longOne.Tokens, 1, 2, 3], Turns = 3 }, etag);

        Assert.Equal(2, log.Requests.Count);
        Assert.InRange(log.Requests.Sum(request => request.Bytes), 1, 4 << 10);
    }

    [AzuriteFact]
    public async Task WhetherAnAnswerWasCutOffIsAskedOnceForACommit()
    {
        var log = new RequestLog();
        var container = azurite.NewContainer();
        var (store, other) = ((await azurite.OpenAsync(container with { Observer = log })).Sessions, (await azurite.OpenAsync(container)).Sessions);
        await SessionStoreContract.SaveTurnsAsync(other, 1);
        await other.NoteAsync(s_key, new("t", "as far", 2));
        Assert.Equal("as far", (await store.LoadNoteAsync(s_key))!.Text);
        var etag = (await store.LoadAsync(s_key))!.ETag;
        Assert.NotNull(await store.LoadNoteAsync(s_key));
        await store.SaveAsync((await store.LoadAsync(s_key))!.Snapshot with { Turns = 2 }, etag);
        log.Requests.Clear();
        Assert.Null(await store.LoadNoteAsync(s_key));
        Assert.Null(await store.LoadNoteAsync(s_key));

        Assert.Empty(log.Requests);
    }

    [AzuriteFact]
    public async Task OfTwoProcessesOneCommitsAndTheOtherIsTold()
    {
        var container = azurite.NewContainer();
        var (one, other) = ((await azurite.OpenAsync(container)).Sessions, (await azurite.OpenAsync(container)).Sessions);
        var first = (await SessionStoreContract.SaveTurnsAsync(one, 2))[^1];
        var loaded = (await other.LoadAsync(s_key))!;
        var by = new[] { SessionStoreContract.Next(first, 7), SessionStoreContract.Next(first, 8) };
        var done = await Task.WhenAll(TrySaveAsync(one, by[0], loaded.ETag), TrySaveAsync(other, by[1], loaded.ETag));

        Assert.Single(done, etag => etag is not null);
        var winner = Array.FindIndex(done, etag => etag is not null);
        foreach (var store in new[] { one, other })
        {
            var now = (await store.LoadAsync(s_key))!;
            SessionStoreContract.AssertSame(by[winner], now.Snapshot);
            Assert.Equal(done[winner], now.ETag);
        }
        // Whoever was told goes on from what is true.
        var loser = winner == 0 ? other : one;
        await loser.SaveAsync(SessionStoreContract.Next(by[winner], 9), done[winner]);
        await Assert.ThrowsAsync<SessionStoreConflictException>(async () => await (winner == 0 ? one : other).SaveAsync(SessionStoreContract.Next(by[winner], 10), done[winner]));
    }

    [AzuriteFact]
    public async Task ACommitWhoseAnswerIsLostIsCommittedOnce()
    {
        var log = new RequestLog();
        var store = (await azurite.OpenAsync(azurite.NewContainer() with { Observer = log, RetryDelay = TimeSpan.FromMilliseconds(1) })).Sessions;
        var saved = await SessionStoreContract.SaveTurnsAsync(store, 2);
        var etag = (await store.LoadAsync(s_key))!.ETag;
        var next = SessionStoreContract.Next(saved[^1], 3);
        log.LoseNext = "comp=blocklist";
        etag = await store.SaveAsync(next, etag);

        Assert.Equal(1, log.Lost);
        Assert.Equal(etag, (await store.LoadAsync(s_key))!.ETag);
        SessionStoreContract.AssertSame(next, (await store.LoadAsync(s_key))!.Snapshot);
        await store.SaveAsync(SessionStoreContract.Next(next, 4), etag);
    }

    [AzuriteFact]
    public async Task AMoveOfRecordsByAnotherProcessIsNoConflict()
    {
        var container = azurite.NewContainer();
        var (one, other) = ((await azurite.OpenAsync(container)).Sessions, (await azurite.OpenAsync(container)).Sessions);
        var saved = await SessionStoreContract.SaveTurnsAsync(one, 3);
        var etag = (await one.LoadAsync(s_key))!.ETag;
        var moved = (await other.ListRecordsAsync(s_key)).ToDictionary(r => r.Value, r => (KvLocator?)(r.Value with { File = 5 }));
        await other.MoveRecordsAsync(s_key, moved);
        Assert.Equal(etag, (await other.LoadAsync(s_key))!.ETag);
        await one.SaveAsync(SessionStoreContract.Next(saved[^1], 4), etag);

        var now = (await other.LoadTurnAsync(s_key, 3))!.Snapshot;
        Assert.All(now.Kv.Values, place => Assert.Equal(5, place.File));
        Assert.Equal(saved[^1].Kv.Count, now.Kv.Count);
    }

    [AzuriteFact]
    public async Task EveryFlippedByteIsNoticedAndTheTurnsBeforeItCanBeGoneBackTo()
    {
        var container = azurite.NewContainer();
        var store = (await azurite.OpenAsync(container)).Sessions;
        var saved = await SessionStoreContract.SaveTurnsAsync(store, 3);
        var blob = new BlobContainerClient(container.Connection, container.Container).GetBlockBlobClient(BlobNames.StateOf(s_key));
        var content = await blob.DownloadContentAsync();
        var (whole, metadata) = (content.Value.Content.ToArray(), content.Value.Details.Metadata);
        for (var at = 0; at < whole.Length; at += 23)
        {
            var damaged = (byte[])whole.Clone();
            damaged[at] ^= (byte)(1 << at % 8);
            await ReplaceAsync(blob, damaged, metadata);
            var failure = await Assert.ThrowsAsync<SessionStoreException>(async () => await store.LoadAsync(s_key));
            Assert.Equal(StoreFailure.Damaged, failure.Failure);
        }
        whole[^1] ^= 1;
        await ReplaceAsync(blob, whole, metadata);
        Assert.Contains("rewind this one to turn 2", (await Assert.ThrowsAsync<SessionStoreException>(async () => await store.LoadAsync(s_key))).Message);
        Assert.Equal(["s"], (await store.ListAsync("t", 10)).Select(s => s.Key.Session));
        SessionStoreContract.AssertSame(saved[1], (await store.LoadTurnAsync(s_key, 2))!.Snapshot);
        var rewound = await store.RewindAsync(s_key, 2, null);
        await store.SaveAsync(SessionStoreContract.Next(saved[1], 9), rewound!.ETag);
        SessionStoreContract.AssertSame(SessionStoreContract.Next(saved[1], 9), (await store.LoadAsync(s_key))!.Snapshot);
    }

    /// <summary>Writes a blob anew, with the same blocks.</summary>
    private static async Task ReplaceAsync(BlockBlobClient blob, byte[] content, IDictionary<string, string> metadata)
    {
        var (blocks, at) = ((await blob.GetBlockListAsync()).Value.CommittedBlocks.ToArray(), 0);
        foreach (var block in blocks)
        {
            await blob.StageBlockAsync(block.Name, new MemoryStream(content, at, (int)block.SizeLong));
            at += (int)block.SizeLong;
        }
        await blob.CommitBlockListAsync(blocks.Select(block => block.Name), new CommitBlockListOptions { Metadata = metadata });
    }

    private static async Task<string?> TrySaveAsync(ISessionStore store, SessionSnapshot snapshot, string etag)
    {
        try
        {
            return await store.SaveAsync(snapshot, etag);
        }
        catch (SessionStoreConflictException)
        {
            return null;
        }
    }
}
