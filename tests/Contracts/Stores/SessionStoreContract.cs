using LServe.Contracts;
using LServe.Inference;
using LServe.Sessions;

namespace LServe.Tests.Contracts;

/// <summary>What every <see cref="ISessionStore"/> promises.</summary>
public abstract class SessionStoreContract
{
    private const int Writers = 8;

    protected abstract ISessionStore CreateStore();

    [Fact]
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

    [Fact]
    public async Task WhatWasNeverSavedIsNull() => Assert.Null(await CreateStore().LoadAsync(new("t", "s")));

    [Fact]
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

    [Fact]
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

    [Fact]
    public async Task TheListHasTheTenantsLastUsedFirst()
    {
        var store = CreateStore();
        foreach (var (name, used) in new[] { ("a", 2), ("b", 3), ("c", 1) }) await store.SaveAsync(Snapshot("t", name, 1, used), null);
        await store.SaveAsync(Snapshot("other", "d", 1, 9), null);

        Assert.Equal(["b", "a", "c"], (await store.ListAsync("t", 10)).Select(k => k.Session));
        Assert.Equal(["b", "a"], (await store.ListAsync("t", 2)).Select(k => k.Session));
        Assert.Empty(await store.ListAsync("nobody", 10));
    }

    [Fact]
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

    private static SessionSnapshot Snapshot(string tenant, string session, int turns, int used = 0) => new()
    {
        Key = new(tenant, session),
        Model = "Tiny",
        Tokens = [1, 2, 3],
        Runs = [new TokenRun(2, SliceKind.Prefill)],
        Messages = [],
        Turns = turns,
        LastTurn = null,
        Created = DateTimeOffset.UnixEpoch,
        LastUsed = DateTimeOffset.UnixEpoch.AddSeconds(used),
    };

    private static void AssertSame(SessionSnapshot expected, SessionSnapshot actual)
    {
        static object Plain(SessionSnapshot s) => new { s.Version, s.Key, s.Model, s.Tokens, s.Runs, s.Messages, s.Turns, s.LastTurn, s.Created, s.LastUsed };
        Assert.Equivalent(Plain(expected), Plain(actual), strict: true);
    }
}
