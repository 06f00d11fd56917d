using LServe.Sessions;
using LServe.Stores.Local;
using LServe.Tests.Support;

namespace LServe.Tests.Contracts;

public sealed class LocalKvPageStoreTests : KvPageStoreContract, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private LocalStore? _store;

    public void Dispose()
    {
        _store?.Dispose();
        _folder.Dispose();
    }

    protected override IKvPageStore CreateStore() => (_store = LocalStore.Open(new() { Folder = _folder.Path })).Pages;

    [Fact]
    public async Task EveryFlippedBitAndEveryMissingEndIsNoticedAndConcernsOneRecord()
    {
        var store = CreateStore();
        var records = Records(3, 3);
        var named = Named(records, await store.WriteAsync(Key, 1, records));
        var file = Assert.Single(Directory.GetFiles(_folder.Path, "*.kv", SearchOption.AllDirectories));
        var whole = await File.ReadAllBytesAsync(file);
        for (var at = 0; at < whole.Length; at++)
        {
            var damaged = (byte[])whole.Clone();
            damaged[at] ^= (byte)(1 << at % 8);
            await File.WriteAllBytesAsync(file, damaged);
            var read = await store.ReadAsync(Key, named);
            Assert.Equal(1, read.Count(r => r is null));
            Assert.All(read.Zip(records), pair => Assert.True(pair.First is null || pair.First.AsSpan().SequenceEqual(pair.Second.Bytes.Span)));
        }
        await File.WriteAllBytesAsync(file, whole[..^1]);
        Assert.Equal([false, false, true], (await store.ReadAsync(Key, named)).Select(r => r is null));
    }
}
