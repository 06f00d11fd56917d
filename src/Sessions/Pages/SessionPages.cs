using LServe.Contracts;
using LServe.Inference;

namespace LServe.Sessions;

/// <summary>
/// Writes one session's KV cache to the page store and brings it back. Whatever goes wrong costs time, never a turn: what isn't saved, or
/// can't be read back, is computed again.
/// </summary>
internal sealed class SessionPages(SessionKey key, SessionEnvironment environment)
{
    /// <summary>Bytes that are copied out between two steps of the engine, at most a page more.</summary>
    private const long BatchBytes = 8 << 20;

    private readonly Engine _engine = environment.Engine;

    /// <summary>Null when there is nowhere to keep pages, or the backend can't give them away.</summary>
    private IKvPageStore? Store => _engine.Backend.PageLayout.Length > 0 ? environment.Pages : null;

    /// <summary>Writes what is new since the records of <paramref name="before"/>; the records that go with the sequence now, durable.</summary>
    public async Task<IReadOnlyDictionary<KvRecordId, KvLocator>> SaveAsync(
        Sequence sequence, int turn, IReadOnlyDictionary<KvRecordId, KvLocator> before)
    {
        if (Store is not { } store) return SessionSnapshot.NoRecords;
        var (now, saved) = (new Dictionary<KvRecordId, KvLocator>(), PageRecords.Covered(before.Keys));
        try
        {
            while (true)
            {
                // Without pages, since another session needed them: the records of the turn before are still right, as far as they go.
                if (await _engine.ExportAsync(sequence, saved, BatchBytes) is not { } cache) return before;
                var records = cache.Parts.Select(part => new KvRecord(PageRecords.IdOf(part), part.Bytes)).ToList();
                if (cache.IsComplete) records.Add(new(PageRecords.State, PageRecords.StateOf(cache)));
                var places = await store.WriteAsync(key, turn, records);
                for (var i = 0; i < records.Count; i++) now[records[i].Id] = places[i];
                foreach (var part in cache.Parts) saved[part.Page] = part.End - part.Page.Index * KvGeometry.PageTokens;
                if (!cache.IsComplete) continue;
                PageRecords.Keep(before, now, cache.Shape, _engine.Geometry.Heads.AnyStreams);
                return now;
            }
        }
        catch (SessionStoreException)
        {
            return before;
        }
    }

    /// <summary>
    /// Gives the sequence, which has no pages, what was saved of them, up to the first token that is damaged or missing; nothing of
    /// another model's.
    /// </summary>
    /// <returns>The records that are good, to go on from.</returns>
    public async Task<IReadOnlyDictionary<KvRecordId, KvLocator>> RestoreAsync(Sequence sequence, SessionSnapshot snapshot)
    {
        if (Store is not { } store || snapshot.Kv.Count == 0) return snapshot.Kv;
        if (environment.Fingerprint is null || snapshot.Fingerprint?.Content != environment.Fingerprint.Content) return SessionSnapshot.NoRecords;
        if (!snapshot.Kv.TryGetValue(PageRecords.State, out var place) || await ReadStateAsync(store, place) is not { } state
            || !KvShape.TryRead(state, out var shape))
            return SessionSnapshot.NoRecords;
        // Null for want of room: the records are good all the same.
        if (await _engine.BeginImportAsync(sequence, shape, state.AsMemory(KvShape.SavedBytes)) is not { } import) return snapshot.Kv;
        var held = PageRecords.Of(snapshot.Kv, shape, _engine.Geometry.Heads.AnyStreams, out var covered);
        var intact = await new PageReader(store, _engine, key, import).ReadAsync(held, covered);
        await _engine.EndImportAsync(import, intact);
        return intact == shape.CachedLength ? snapshot.Kv : PageRecords.Before(snapshot.Kv, intact);
    }

    /// <summary>Gets rid of garbage if there is much; whether records may have moved.</summary>
    public async Task<bool> CompactAsync()
    {
        if (Store is not { } store) return false;
        try
        {
            return await KvCompaction.RunIfWorthwhileAsync(environment.Store, store, key);
        }
        catch (SessionStoreException)
        {
            // The turn is committed, and garbage harms nobody; a later turn tries again.
            return true;
        }
    }

    private async Task<byte[]?> ReadStateAsync(IKvPageStore store, KvLocator place)
    {
        try
        {
            return (await store.ReadAsync(key, [KeyValuePair.Create(PageRecords.State, place)]))[0];
        }
        catch (SessionStoreException)
        {
            return null;
        }
    }
}
