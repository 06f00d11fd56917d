using LServe.Contracts;
using LServe.Sessions;

namespace LServe.Tests.Contracts;

/// <summary>What every <see cref="IKvPageStore"/> promises.</summary>
public abstract class KvPageStoreContract
{
    protected static readonly SessionKey Key = new("t", "s"), Other = new("t", "other");

    protected abstract IKvPageStore CreateStore();

    [ContractFact]
    public async Task WhatIsWrittenIsRead()
    {
        var store = CreateStore();
        var first = Records(1, 3);
        var second = Records(2, 2);
        var wanted = Named(first, await store.WriteAsync(Key, 1, first)).Concat(Named(second, await store.WriteAsync(Key, 2, second))).ToList();

        Assert.Equal(first.Concat(second).Select(r => r.Bytes.ToArray()), await store.ReadAsync(Key, wanted));
        wanted.Reverse();
        Assert.Equal(second[1].Bytes.ToArray(), (await store.ReadAsync(Key, wanted))[0]);
    }

    [ContractFact]
    public async Task AnEmptyRecordAndNoRecordsAreNothingSpecial()
    {
        var store = CreateStore();
        KvRecord empty = new(new(KvRecordKind.Selection), Array.Empty<byte>());

        Assert.Empty(await store.WriteAsync(Key, 1, []));
        Assert.Equal([[]], await store.ReadAsync(Key, Named([empty], await store.WriteAsync(Key, 1, [empty]))));
    }

    [ContractFact]
    public async Task AWholeRecordAtAnothersPlaceIsNotTakenForIt()
    {
        var store = CreateStore();
        var records = Records(1, 2);
        var locators = await store.WriteAsync(Key, 1, records);
        await store.WriteAsync(Other, 1, records);
        KvLocator[] wrong =
        [
            locators[1], locators[0] with { Epoch = 2 }, locators[0] with { Checksum = locators[0].Checksum ^ 1 }, locators[0] with { File = 7 },
            locators[0] with { Length = locators[0].Length - 1 }, locators[0] with { Offset = locators[1].Offset }, locators[0] with { Offset = 1L << 60 },
        ];

        Assert.All(await store.ReadAsync(Key, [.. wrong.Select(l => KeyValuePair.Create(records[0].Id, l))]), Assert.Null);
        Assert.Null(Assert.Single(await store.ReadAsync(Other, [KeyValuePair.Create(records[0].Id, locators[0])])));
        Assert.Null(Assert.Single(await store.ReadAsync(new("t", "nobody"), [KeyValuePair.Create(records[0].Id, locators[0])])));
    }

    [ContractFact]
    public async Task DeletingASessionLeavesOthersAlone()
    {
        var store = CreateStore();
        var records = Records(1, 2);
        var mine = Named(records, await store.WriteAsync(Key, 1, records));
        var others = Named(records, await store.WriteAsync(Other, 1, records));

        Assert.True(await store.DeleteAsync(Key));
        Assert.False(await store.DeleteAsync(Key));
        Assert.Equal(0, await store.SizeAsync(Key));
        Assert.All(await store.ReadAsync(Key, mine), Assert.Null);
        Assert.All(await store.ReadAsync(Other, others), Assert.NotNull);
    }

    [ContractFact]
    public async Task CompactingKeepsWhatIsAliveAndTheOldPlacesUntilTheyAreRetired()
    {
        var store = CreateStore();
        var records = Records(1, 4);
        var before = Named(records, await store.WriteAsync(Key, 1, records));
        var live = before[2..];
        var size = await store.SizeAsync(Key);
        var moved = (await store.CompactAsync(Key, live)).Select(l => l!.Value).ToArray();
        Assert.All(await store.ReadAsync(Key, before), Assert.NotNull);
        await store.RetireAsync(Key, moved[0].File);
        var more = Records(2, 1);
        var added = Named(more, await store.WriteAsync(Key, 2, more));

        Assert.Equal(records[2..].Select(r => r.Bytes.ToArray()), await store.ReadAsync(Key, Named(records[2..], moved)));
        Assert.All(await store.ReadAsync(Key, before), Assert.Null);
        Assert.Equal([more[0].Bytes.ToArray()], await store.ReadAsync(Key, added));
        Assert.True(await store.SizeAsync(Key) < size);
    }

    protected static KvRecord[] Records(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var bytes = new byte[100 + 37 * i];
            random.NextBytes(bytes);
            return new KvRecord(new((KvRecordKind)(i % 3), i, i + 1), bytes);
        })];
    }

    protected static List<KeyValuePair<KvRecordId, KvLocator>> Named(IReadOnlyList<KvRecord> records, IReadOnlyList<KvLocator> locators) =>
        [.. records.Zip(locators, (r, l) => KeyValuePair.Create(r.Id, l))];
}
