using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>
/// Gets rid of garbage in a session's page files: live records are copied aside, then the session's state names the copies, then the
/// old files go. Between any two of these steps either the old or the new places are whole and named.
/// </summary>
public static class KvCompaction
{
    public static async Task RunAsync(ISessionStore sessions, IKvPageStore pages, SessionKey key, CancellationToken cancellation = default)
    {
        var live = (await sessions.ListRecordsAsync(key, cancellation)).OrderBy(r => (r.Value.File, r.Value.Offset)).ToList();
        if (live.Count == 0)
        {
            await pages.DeleteAsync(key, cancellation);
            return;
        }
        var places = await pages.CompactAsync(key, live, cancellation);
        var moved = new Dictionary<KvLocator, KvLocator?>();
        for (var i = 0; i < live.Count; i++) moved[live[i].Value] = places[i];
        await sessions.MoveRecordsAsync(key, moved, cancellation);
        if (places.FirstOrDefault(place => place is not null) is { } first) await pages.RetireAsync(key, first.File, cancellation);
    }

    /// <summary>Compacts if more than half of the session's bytes are garbage; whether it did.</summary>
    public static async Task<bool> RunIfWorthwhileAsync(ISessionStore sessions, IKvPageStore pages, SessionKey key, CancellationToken cancellation = default)
    {
        var size = await pages.SizeAsync(key, cancellation);
        if (size == 0) return false;
        var live = (await sessions.ListRecordsAsync(key, cancellation)).Sum(record => (long)record.Value.Length);
        if (2 * live >= size) return false;
        await RunAsync(sessions, pages, key, cancellation);
        return true;
    }
}
