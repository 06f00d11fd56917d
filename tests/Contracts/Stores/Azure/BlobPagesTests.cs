using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Specialized;
using LServe.Contracts;
using LServe.Sessions;
using LServe.Stores.AzureBlob;

namespace LServe.Tests.Contracts;

/// <summary>What records in blobs promise beyond the contract: cost, several processes, damage.</summary>
public sealed class BlobPagesTests(AzuriteFixture azurite) : IClassFixture<AzuriteFixture>
{
    private static readonly SessionKey s_key = new("t", "s");

    [AzuriteFact]
    public async Task AfterTheFirstTurnAWriteIsOneRequestAndSoIsARead()
    {
        var log = new RequestLog();
        var store = (await azurite.OpenAsync(azurite.NewContainer() with { Observer = log })).Pages;
        await store.WriteAsync(s_key, 1, Records(1, 3));
        log.Requests.Clear();
        var places = await store.WriteAsync(s_key, 2, Records(2, 10));
        await store.SizeAsync(s_key);
        Assert.Single(log.Requests);
        log.Requests.Clear();
        Assert.All(await store.ReadAsync(s_key, Named(Records(2, 10), places)), Assert.NotNull);
        Assert.Single(log.Requests);
    }

    [AzuriteFact]
    public async Task RecordsLongerThanARequestAreWrittenInOnePieceBesideAnotherWriter()
    {
        var container = azurite.NewContainer() with { WriteBytes = 1_000, ReadBytes = 1_500 };
        var stores = new[] { (await azurite.OpenAsync(container)).Pages, (await azurite.OpenAsync(container)).Pages };
        var written = new List<(KvRecord[] Records, IReadOnlyList<KvLocator> Places)>();
        for (var round = 0; round < 8; round++)
        {
            var records = stores.Select((_, i) => Records(2 * round + i, 4, length: 700)).ToArray();
            var places = await Task.WhenAll(stores.Select((store, i) => TryWriteAsync(store, round, records[i])));
            written.AddRange(records.Zip(places).Where(pair => pair.Second is not null)!);
        }

        Assert.True(written.Count >= 8);
        foreach (var (records, places) in written)
            foreach (var store in stores)
                Assert.Equal(records.Select(r => r.Bytes.ToArray()), await store.ReadAsync(s_key, Named(records, places)));
    }

    [AzuriteFact]
    public async Task EveryFlippedByteAndEveryMissingEndIsNoticedAndConcernsOneRecord()
    {
        var container = azurite.NewContainer();
        var store = (await azurite.OpenAsync(container)).Pages;
        var records = Records(3, 3);
        var named = Named(records, await store.WriteAsync(s_key, 1, records));
        var blob = new BlobContainerClient(container.Connection, container.Container).GetAppendBlobClient(BlobNames.PageFileOf(s_key, 0));
        var whole = (await blob.DownloadContentAsync()).Value.Content.ToArray();
        for (var at = 0; at < whole.Length; at += 5)
        {
            var damaged = (byte[])whole.Clone();
            damaged[at] ^= (byte)(1 << at % 8);
            await ReplaceAsync(blob, damaged);
            var read = await store.ReadAsync(s_key, named);
            Assert.Equal(1, read.Count(r => r is null));
            Assert.All(read.Zip(records), pair => Assert.True(pair.First is null || pair.First.AsSpan().SequenceEqual(pair.Second.Bytes.Span)));
        }
        await ReplaceAsync(blob, whole[..^1]);
        Assert.Equal([false, false, true], (await store.ReadAsync(s_key, named)).Select(r => r is null));
        await blob.DeleteAsync();
        Assert.All(await store.ReadAsync(s_key, named), Assert.Null);
        // Written again, in a file that is begun anew.
        Assert.All(await store.ReadAsync(s_key, Named(records, await store.WriteAsync(s_key, 2, records))), Assert.NotNull);
    }

    [AzuriteFact]
    public async Task ACompactionWhoseSessionWentOnElsewhereMovesNothing()
    {
        var container = azurite.NewContainer();
        var (one, other) = (await azurite.OpenAsync(container), await azurite.OpenAsync(container));
        var turns = await SessionStoreContract.SaveTurnsAsync(one.Sessions, 1);
        var records = Records(1, 4);
        var named = Named(records, await one.Pages.WriteAsync(s_key, 1, records));
        var etag = await one.Sessions.SaveAsync(SessionStoreContract.Next(turns[0], 2) with { Kv = named.ToDictionary() }, (await one.Sessions.LoadAsync(s_key))!.ETag);
        var more = Named(Records(2, 1), await other.Pages.WriteAsync(s_key, 2, Records(2, 1)));
        var loaded = (await other.Sessions.LoadAsync(s_key))!;
        await other.Sessions.SaveAsync(SessionStoreContract.Next(loaded.Snapshot, 3) with { Kv = more.ToDictionary() }, etag);

        await Assert.ThrowsAsync<SessionStoreException>(() => KvCompaction.RunAsync(one.Sessions, one.Pages, s_key));
        Assert.All(await other.Pages.ReadAsync(s_key, more), Assert.NotNull);
        Assert.Equal(more.ToDictionary(), (await other.Sessions.LoadAsync(s_key))!.Snapshot.Kv);
    }

    private static async Task<IReadOnlyList<KvLocator>?> TryWriteAsync(IKvPageStore store, int epoch, KvRecord[] records)
    {
        try
        {
            return await store.WriteAsync(s_key, epoch, records);
        }
        catch (SessionStoreException problem) when (problem.Failure == StoreFailure.Unavailable)
        {
            // The other one was in the way too often; pages that aren't saved are computed again.
            return null;
        }
    }

    private static async Task ReplaceAsync(AppendBlobClient blob, byte[] content)
    {
        await blob.CreateAsync();
        await blob.AppendBlockAsync(new MemoryStream(content));
    }

    private static KvRecord[] Records(int seed, int count, int length = 100)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var bytes = new byte[length + 7 * i];
            random.NextBytes(bytes);
            return new KvRecord(new(KvRecordKind.Retrieval, i, i + 1), bytes);
        })];
    }

    private static List<KeyValuePair<KvRecordId, KvLocator>> Named(IReadOnlyList<KvRecord> records, IReadOnlyList<KvLocator> places) =>
        [.. records.Zip(places, (r, place) => KeyValuePair.Create(r.Id, place))];
}
