using LServe.Contracts;
using LServe.Inference;
using LServe.Sessions;

namespace LServe.Tests.Contracts;

/// <summary>What every <see cref="ISessionStore"/> promises.</summary>
public abstract class SessionStoreContract
{
    private const int Writers = 8;

    protected abstract ISessionStore CreateStore();

    [ContractFact]
    public async Task WhatIsSavedIsLoaded()
    {
        var store = CreateStore();
        var saved = Snapshot("t", "s", 3) with
        {
            Messages = [new("user", "zwölf \ud83d\ude00 'quoted'\n", 2), new("assistant", "", 3)],
            LastTurn = new("id", "text", FinishReason.Length, new(1, 2, 3, 4), [new(7, "a", [97], -0.5f, [new(8, "b", [98], -1)])]),
        };
        var etag = await store.SaveAsync(saved, null);
        var loaded = await store.LoadAsync(saved.Key);

        Assert.Equal(etag, loaded!.ETag);
        AssertSame(saved, loaded.Snapshot);
    }

    [ContractFact]
    public async Task WhatWasNeverSavedIsNull() => Assert.Null(await CreateStore().LoadAsync(new("t", "s")));

    [ContractFact]
    public async Task ASaveMustNameWhatItReplaces()
    {
        var store = CreateStore();
        var first = await store.SaveAsync(Snapshot("t", "s", 1), null);
        var second = await store.SaveAsync(Snapshot("t", "s", 2), first);

        Assert.NotEqual(first, second);
        await Assert.ThrowsAsync<SessionStoreConflictException>(async () => await store.SaveAsync(Snapshot("t", "s", 3), first));
        await Assert.ThrowsAsync<SessionStoreConflictException>(async () => await store.SaveAsync(Snapshot("t", "s", 3), null));
        await Assert.ThrowsAsync<SessionStoreConflictException>(async () => await store.SaveAsync(Snapshot("t", "new", 3), first));
        Assert.Equal(2, (await store.LoadAsync(new("t", "s")))!.Snapshot.Turns);
    }

    [ContractFact]
    public async Task WhatIsDeletedIsGoneAndItsETagWorthless()
    {
        var store = CreateStore();
        var etag = await store.SaveAsync(Snapshot("t", "s", 1), null);

        Assert.True(await store.DeleteAsync(new("t", "s")));
        Assert.False(await store.DeleteAsync(new("t", "s")));
        Assert.Null(await store.LoadAsync(new("t", "s")));
        Assert.Empty(await store.ListAsync("t", 10));
        await Assert.ThrowsAsync<SessionStoreConflictException>(async () => await store.SaveAsync(Snapshot("t", "s", 2), etag));
        Assert.NotEqual(etag, await store.SaveAsync(Snapshot("t", "s", 1), null));
    }

    [ContractFact]
    public async Task TheListHasTheTenantsLastUsedFirst()
    {
        var store = CreateStore();
        foreach (var (name, used) in new[] { ("a", 2), ("b", 3), ("c", 1) }) await store.SaveAsync(Snapshot("t", name, 1, used), null);
        await store.SaveAsync(Snapshot("other", "d", 1, 9), null);

        Assert.Equal(["b", "a", "c"], (await store.ListAsync("t", 10)).Select(k => k.Key.Session));
        Assert.Equal(["b", "a"], (await store.ListAsync("t", 2)).Select(k => k.Key.Session));
        Assert.Empty(await store.ListAsync("nobody", 10));
    }

    [ContractFact]
    public async Task TheListTellsWhatASessionIsWithoutItsMessages()
    {
        var store = CreateStore();
        var saved = Snapshot("t", "s", 3) with { LastTurn = new("id", "text", FinishReason.Stop, new(1, 2, 3, 4), null) };
        await store.SaveAsync(saved, null);

        Assert.Equal([SessionSummary.Of(saved)], await store.ListAsync("t", 10));
    }

    [ContractFact]
    public async Task TurnByTurnASessionIsWhatItWasSaved()
    {
        var store = CreateStore();
        var saved = await SaveTurnsAsync(store, 6);

        AssertSame(saved[^1], (await store.LoadAsync(saved[0].Key))!.Snapshot);
        foreach (var turn in saved) AssertSame(turn, (await store.LoadTurnAsync(turn.Key, turn.Turns))!.Snapshot);
        Assert.Null(await store.LoadTurnAsync(saved[0].Key, 7));
        Assert.Null(await store.LoadTurnAsync(new("t", "other"), 1));
    }

    [ContractFact]
    public async Task ARewoundSessionGoesOnFromThereAndForgetsTheRest()
    {
        var store = CreateStore();
        var saved = await SaveTurnsAsync(store, 6);
        var key = saved[0].Key;
        var stale = (await store.LoadAsync(key))!.ETag;
        var rewound = await store.RewindAsync(key, 4, stale);
        await Assert.ThrowsAsync<SessionStoreConflictException>(async () => await store.SaveAsync(saved[5], stale));
        var other = Next(saved[3], 100);
        await store.SaveAsync(other, rewound!.ETag);

        AssertSame(saved[3], rewound.Snapshot);
        AssertSame(other, (await store.LoadAsync(key))!.Snapshot);
        AssertSame(saved[3], (await store.LoadTurnAsync(key, 4))!.Snapshot);
        Assert.Null(await store.LoadTurnAsync(key, 6));
    }

    [ContractFact]
    public async Task ARewindToATurnThatIsNotKeptChangesNothing()
    {
        var store = CreateStore();
        var saved = await SaveTurnsAsync(store, 2);
        var etag = (await store.LoadAsync(saved[0].Key))!.ETag;

        Assert.Null(await store.RewindAsync(saved[0].Key, 5, etag));
        await Assert.ThrowsAsync<SessionStoreConflictException>(async () => await store.RewindAsync(saved[0].Key, 1, etag + "0"));
        AssertSame(saved[1], (await store.LoadAsync(saved[0].Key))!.Snapshot);
    }

    [ContractFact]
    public async Task WhatDoesNotGoOnFromWhatIsKeptReplacesIt()
    {
        var store = CreateStore();
        var saved = await SaveTurnsAsync(store, 3);
        var key = saved[0].Key;
        foreach (var next in new[] { saved[2] with { Tokens = [9, .. saved[2].Tokens.Skip(1)] }, saved[0], saved[2] with { Messages = [new("user", "x", 1)] } })
        {
            await store.SaveAsync(next, (await store.LoadAsync(key))!.ETag);
            AssertSame(next, (await store.LoadAsync(key))!.Snapshot);
        }
    }

    [ContractFact]
    public async Task AnAnswerInProgressIsNotedUntilTheNextCommit()
    {
        var store = CreateStore();
        var saved = await SaveTurnsAsync(store, 2);
        var key = saved[0].Key;
        Assert.Null(await store.LoadNoteAsync(key));
        await store.NoteAsync(key, new("t", "as far", 2));
        await store.NoteAsync(key, new("t", "as far as this", 4));
        Assert.Equal(new InterruptedAnswer("t", "as far as this", 4), await store.LoadNoteAsync(key));
        Assert.Null(await store.LoadNoteAsync(new("t", "other")));

        await store.SaveAsync(Next(saved[1], 3), (await store.LoadAsync(key))!.ETag);
        Assert.Null(await store.LoadNoteAsync(key));
        foreach (var forget in new Func<Task>[]
        {
            async () => await store.RewindAsync(key, 2, null), async () => await store.NoteAsync(key, null), async () => Assert.True(await store.DeleteAsync(key)),
            async () => Assert.True(await store.DeleteAsync(key)),
        })
        {
            await store.NoteAsync(key, new("t", "x", 1));
            await forget();
            Assert.Null(await store.LoadNoteAsync(key));
        }
    }

    [ContractFact]
    public async Task OfManyWritersAtOnceEachVersionHasOne()
    {
        const int each = 25;
        var store = CreateStore();
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < each; i++) await CountUpAsync(store, new("t", "s"));
        })));

        Assert.Equal(Writers * each, (await store.LoadAsync(new("t", "s")))!.Snapshot.Turns);
    }

    private static async Task CountUpAsync(ISessionStore store, SessionKey key)
    {
        while (true)
        {
            var stored = await store.LoadAsync(key);
            try
            {
                await store.SaveAsync(Snapshot(key.Tenant, key.Session, (stored?.Snapshot.Turns ?? 0) + 1), stored?.ETag);
                return;
            }
            catch (SessionStoreConflictException)
            {
                // Somebody else was first: read again.
            }
        }
    }

    /// <summary>A conversation of some turns, each saved on the one before.</summary>
    internal static async Task<List<SessionSnapshot>> SaveTurnsAsync(ISessionStore store, int turns, string session = "s")
    {
        var saved = new List<SessionSnapshot> { Snapshot("t", session, 0) };
        for (string? etag = null; saved.Count <= turns;)
        {
            saved.Add(Next(saved[^1], saved.Count));
            etag = await store.SaveAsync(saved[^1], etag);
        }
        saved.RemoveAt(0);
        return saved;
    }

    /// <summary>The session one turn later: a prompt, an answer whose last token has no keys and values yet, its records and a new state.</summary>
    internal static SessionSnapshot Next(SessionSnapshot before, int salt)
    {
        var (prompt, end) = (before.Tokens.Count + 40, before.Tokens.Count + 60);
        var kv = before.Kv.Where(r => r.Key.Kind == KvRecordKind.Retrieval).ToDictionary();
        kv[new(KvRecordKind.Retrieval, 60 * before.Turns, 60 * before.Turns + 60)] = new(0, 1000 * salt, 10, salt, (ulong)salt << 40);
        kv[new(KvRecordKind.Selection)] = new(0, 1000 * salt + 500, 20, salt, ulong.MaxValue - (ulong)salt);
        return before with
        {
            Fingerprint = new("content", "arithmetic"),
            Attention = AttentionMode.LServe,
            Tokens = [.. before.Tokens, .. Enumerable.Range(salt, 60)],
            Runs = salt % 3 == 0 ? [.. before.Runs, new(end - 1, SliceKind.Prefill)] : [.. before.Runs, new(prompt, SliceKind.Prefill), new(end - 1, SliceKind.Decode)],
            Messages = [.. before.Messages, new("user", $"Frage {salt}?", prompt), new("assistant", $"Antwort \u00e4 {salt}.", end)],
            Turns = before.Turns + 1,
            LastTurn = new($"turn {salt}", $"Antwort \u00e4 {salt}.", FinishReason.Stop, new(prompt, 20, 0, end), null),
            LastUsed = before.LastUsed.AddSeconds(1),
            Kv = kv,
        };
    }

    internal static SessionSnapshot Begin(string tenant, string session) => Snapshot(tenant, session, 0);

    protected static SessionSnapshot Snapshot(string tenant, string session, int turns, int used = 0) => new()
    {
        Key = new(tenant, session),
        Model = "Tiny",
        Tokens = [1, 2, 3],
        Runs = [new TokenRun(2, SliceKind.Decode)],
        Messages = [],
        Turns = turns,
        LastTurn = null,
        Created = DateTimeOffset.UnixEpoch,
        LastUsed = DateTimeOffset.UnixEpoch.AddSeconds(used),
    };

    internal static void AssertSame(SessionSnapshot expected, SessionSnapshot actual)
    {
        static object Plain(SessionSnapshot s) => new { s.Version, s.Key, s.Model, s.Tokens, s.Runs, s.Messages, s.Turns, s.LastTurn, s.Created, s.LastUsed, s.Fingerprint, s.Attention };
        Assert.Equivalent(Plain(expected), Plain(actual), strict: true);
        Assert.Equal(expected.Kv.OrderBy(r => (r.Key.Kind, r.Key.First)), actual.Kv.OrderBy(r => (r.Key.Kind, r.Key.First)));
    }
}
