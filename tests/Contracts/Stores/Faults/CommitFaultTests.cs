using LServe.Contracts;
using LServe.Inference;
using LServe.Sessions;
using LServe.Stores.Local;
using LServe.Tests.Support;

namespace LServe.Tests.Contracts;

/// <summary>
/// Turns that write pages, commit and compact, with one operation after another going wrong: whatever happens, the folder holds the
/// last acknowledged turn or the one that was being saved, whole, with its records.
/// </summary>
public class CommitFaultTests
{
    private const int Turns = 4;
    private static readonly SessionKey s_key = new("t", "s");

    [Theory]
    [InlineData(Fault.Kill)]
    [InlineData(Fault.Tear)]
    [InlineData(Fault.DiskFull)]
    [InlineData(Fault.ReadOnly)]
    public async Task WhereverItHappensThePreviousOrTheNewTurnIsThere(Fault fault)
    {
        var struck = new HashSet<string>();
        for (var at = 1; ; at++)
        {
            using var folder = new TemporaryFolder();
            var files = new FaultyFiles(fault, at);
            var acknowledged = await RunAsync(folder.Path, files, 0);
            if (files.Struck is not { } point) break;
            struck.Add(point);
            bool putBack;
            using (var again = LocalStore.Open(new() { Folder = folder.Path }))
            {
                putBack = again.Notes.Count > 0;
                await AssertTurnAsync(again, point, acknowledged, putBack);
            }
            // And it goes on from there as if nothing had been.
            var done = await RunAsync(folder.Path, new FaultyFiles(fault, 0), acknowledged);
            Assert.Equal(Turns, done);
            using var last = LocalStore.Open(new() { Folder = folder.Path });
            await AssertTurnAsync(last, point, Turns, putBack);
        }
        Assert.Equal(FaultPoints.All.Order(), struck.Order());
    }

    /// <summary>Saves turns until something goes wrong; the last that was acknowledged.</summary>
    private static async Task<int> RunAsync(string folder, FaultyFiles files, int acknowledged)
    {
        try
        {
            using var store = LocalStore.Open(new() { Folder = folder, KeepTurns = 2 }, files);
            var stored = await store.Sessions.LoadAsync(s_key);
            while ((stored?.Snapshot.Turns ?? 0) < Turns)
            {
                var next = await WriteAsync(store, stored?.Snapshot);
                acknowledged = next.Turns;
                await CompactAsync(store);
                stored = await store.Sessions.LoadAsync(s_key);
            }
            return stored!.Snapshot.Turns;
        }
        catch (Exception failure) when (failure is SimulatedKill or SessionStoreException)
        {
            return acknowledged;
        }
    }

    private static async Task<SessionSnapshot> WriteAsync(LocalStore store, SessionSnapshot? before)
    {
        var turn = (before?.Turns ?? 0) + 1;
        KvRecord[] records = [RecordOf(KvRecordKind.Retrieval, turn, turn), RecordOf(KvRecordKind.Selection, 0, turn)];
        var locators = await store.Pages.WriteAsync(s_key, turn, records);
        var kv = (before?.Kv ?? SessionSnapshot.NoRecords).ToDictionary();
        for (var i = 0; i < records.Length; i++) kv[records[i].Id] = locators[i];
        var snapshot = new SessionSnapshot
        {
            Key = s_key, Model = "m", Tokens = [.. Enumerable.Range(0, 10 * turn)], Runs = [new(10 * turn, SliceKind.Prefill)], Messages = [],
            Turns = turn, LastTurn = null, Created = default, LastUsed = default, Kv = kv,
        };
        var etag = before is null ? null : (await store.Sessions.LoadAsync(s_key))!.ETag;
        await store.Sessions.SaveAsync(snapshot, etag);
        return snapshot;
    }

    private static Task CompactAsync(LocalStore store) => KvCompaction.RunAsync(store.Sessions, store.Pages, s_key);

    private static async Task AssertTurnAsync(LocalStore store, string point, int acknowledged, bool putBack)
    {
        var found = (await store.Sessions.LoadAsync(s_key))?.Snapshot;
        var turn = found?.Turns ?? 0;
        Assert.True(turn == acknowledged || turn == acknowledged + 1, $"At {point}: turn {turn} is there, {acknowledged} was acknowledged.");
        if (found is null) return;
        Assert.Equal(Enumerable.Range(0, 10 * turn), found.Tokens);
        var wanted = found.Kv.OrderBy(r => (r.Key.Kind, r.Key.First)).ToList();
        // When a turn is done again from the journal, its records and those before it are forgotten, and computed again.
        if (!putBack) Assert.Equal(turn + 1, wanted.Count);
        var expected = wanted.Select(r => RecordOf(r.Key.Kind, r.Key.First, r.Key.Kind == KvRecordKind.Selection ? turn : r.Key.First).Bytes.ToArray());
        Assert.Equal(expected, await store.Pages.ReadAsync(s_key, wanted));
    }

    private static KvRecord RecordOf(KvRecordKind kind, int first, int turn)
    {
        var bytes = new byte[1000];
        new Random(100 * (int)kind + turn).NextBytes(bytes);
        return new(new(kind, first, first + 1), bytes);
    }
}
