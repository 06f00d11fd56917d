using LServe.Contracts;
using LServe.Inference;

namespace LServe.Sessions;

/// <summary>
/// Moves one session's KV cache between the engine and the page store. Whatever goes wrong costs time, never a turn: what isn't saved,
/// or can't be read back whole, is computed again.
/// </summary>
internal sealed class SessionPages(SessionKey key, SessionEnvironment environment)
{
    private static readonly KvRecordId s_state = new(KvRecordKind.Selection, 0);

    private readonly Engine _engine = environment.Engine;

    /// <summary>Null when there is nowhere to keep pages, or the backend can't give them away.</summary>
    private IKvPageStore? Store => environment.Engine.Backend.PageLayout.Length > 0 ? environment.Pages : null;

    /// <summary>Writes what is new since the records of <paramref name="before"/>; the records that go with the sequence now, durable.</summary>
    public async Task<IReadOnlyDictionary<KvRecordId, KvLocator>> SaveAsync(
        Sequence sequence, int turn, IReadOnlyDictionary<KvRecordId, KvLocator> before)
    {
        if (Store is not { } store) return SessionSnapshot.NoRecords;
        var saved = before.Keys.Select(PageOf).OfType<KvPageId>().ToHashSet();
        // Without pages, since another session needed them: the records of the turn before are still right, as far as they go.
        if (await _engine.ExportAsync(sequence, saved) is not { } cache) return before;
        KvRecord[] records = [new(s_state, StateOf(cache)), .. cache.Pages.Select(page => new KvRecord(RecordOf(page.Id, cache.Shape), page.Bytes))];
        try
        {
            var places = await store.WriteAsync(key, turn, records);
            var now = records.Zip(places).ToDictionary(pair => pair.First.Id, pair => pair.Second);
            foreach (var page in Held(cache.Shape)) now.TryAdd(page, before.GetValueOrDefault(page));
            return now;
        }
        catch (SessionStoreException)
        {
            return before;
        }
    }

    /// <summary>Gives the sequence, which has no pages, those that were saved; false if they are damaged, missing or another model's.</summary>
    public async Task<bool> TryRestoreAsync(Sequence sequence, SessionSnapshot snapshot)
    {
        if (Store is not { } store || snapshot.Kv.Count == 0) return true;
        if (environment.Fingerprint is null || snapshot.Fingerprint?.Content != environment.Fingerprint.Content) return false;
        if (await ReadAsync(store, snapshot.Kv) is not { } records) return false;
        if (!records.TryGetValue(s_state, out var state) || !KvShape.TryRead(state, out var shape)) return false;
        if (!Held(shape).All(records.ContainsKey)) return false;
        var pages = shape.Held(_engine.Geometry.Heads.AnyStreams).Select(id => new KvPage(id, records[RecordOf(id, shape)])).ToArray();
        // False for want of room: the records are good all the same.
        await _engine.ImportAsync(sequence, new(shape, pages, state.AsMemory(KvShape.SavedBytes)));
        return true;
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

    /// <summary>All records, or null if one of them isn't what was written.</summary>
    private async Task<Dictionary<KvRecordId, byte[]>?> ReadAsync(IKvPageStore store, IReadOnlyDictionary<KvRecordId, KvLocator> kv)
    {
        var wanted = kv.OrderBy(record => (record.Value.File, record.Value.Offset)).ToArray();
        try
        {
            var bytes = await store.ReadAsync(key, wanted);
            return bytes.Any(b => b is null) ? null : wanted.Zip(bytes).ToDictionary(pair => pair.First.Key, pair => pair.Second!);
        }
        catch (SessionStoreException)
        {
            return null;
        }
    }

    private IEnumerable<KvRecordId> Held(KvShape shape) => shape.Held(_engine.Geometry.Heads.AnyStreams).Select(id => RecordOf(id, shape));

    private static byte[] StateOf(KvSnapshot cache)
    {
        var state = new byte[KvShape.SavedBytes + cache.Selection.Length];
        cache.Shape.Write(state);
        cache.Selection.Span.CopyTo(state.AsSpan(KvShape.SavedBytes));
        return state;
    }

    private static KvRecordId RecordOf(KvPageId id, KvShape shape) => (id.Pool, shape.IsFull(id.Index)) switch
    {
        (KvPool.Retrieval, true) => new(KvRecordKind.RetrievalPage, id.Index),
        (KvPool.Retrieval, false) => new(KvRecordKind.RetrievalTail, 0),
        (_, true) => new(KvRecordKind.StreamingPage, id.Index),
        (_, false) => new(KvRecordKind.StreamingTail, 0),
    };

    /// <summary>The full page that a record holds; null for other kinds.</summary>
    private static KvPageId? PageOf(KvRecordId id) => id.Kind switch
    {
        KvRecordKind.RetrievalPage => new(KvPool.Retrieval, id.Index),
        KvRecordKind.StreamingPage => new(KvPool.Streaming, id.Index),
        _ => null,
    };
}
