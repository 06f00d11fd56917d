using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>Copies the records of a session's KV cache to another session.</summary>
internal static class KvCopy
{
    /// <summary>Bytes of records that are in memory at once, but for a last one.</summary>
    private const long BatchBytes = 8 << 20;

    /// <summary>The copies; without those that are damaged, and none if they can't be written: what is missing is computed again.</summary>
    public static async Task<IReadOnlyDictionary<KvRecordId, KvLocator>> RunAsync(
        IKvPageStore pages, SessionSnapshot from, SessionKey to, CancellationToken cancellation)
    {
        var (copies, batch, bytes) = (new Dictionary<KvRecordId, KvLocator>(), new List<KeyValuePair<KvRecordId, KvLocator>>(), 0L);
        try
        {
            foreach (var record in from.Kv.OrderBy(r => (r.Key.Kind, r.Key.First)))
            {
                batch.Add(record);
                bytes += record.Value.Length;
                if (bytes < BatchBytes) continue;
                await CopyAsync(pages, from, to, batch, copies, cancellation);
                batch.Clear();
                bytes = 0;
            }
            await CopyAsync(pages, from, to, batch, copies, cancellation);
            return copies;
        }
        catch (SessionStoreException)
        {
            return SessionSnapshot.NoRecords;
        }
    }

    private static async Task CopyAsync(
        IKvPageStore pages, SessionSnapshot from, SessionKey to, List<KeyValuePair<KvRecordId, KvLocator>> batch,
        Dictionary<KvRecordId, KvLocator> copies, CancellationToken cancellation)
    {
        if (batch.Count == 0) return;
        var read = await pages.ReadAsync(from.Key, batch, cancellation);
        var records = batch.Select((record, i) => (record.Key, Bytes: read[i])).Where(r => r.Bytes is not null).Select(r => new KvRecord(r.Key, r.Bytes)).ToArray();
        var places = await pages.WriteAsync(to, from.Turns, records, cancellation);
        for (var i = 0; i < records.Length; i++) copies[records[i].Id] = places[i];
    }
}
