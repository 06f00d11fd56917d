using System.Buffers;
using LServe.Contracts;
using LServe.Inference;

namespace LServe.Sessions;

/// <summary>Brings records into the engine, batch by batch: while one is written into its pages, the next is read.</summary>
internal sealed class PageReader(IKvPageStore store, Engine engine, SessionKey key, PageImport import)
{
    /// <summary>Bytes of a batch, but for a last record. Two are in memory at once, whatever the session's length.</summary>
    private const long BatchBytes = 8 << 20;

    /// <summary>Tokens that were brought back, from the first on.</summary>
    /// <param name="records">By pool and position.</param>
    /// <param name="intact">Tokens that have records.</param>
    public async Task<int> ReadAsync(IReadOnlyList<KeyValuePair<KvRecordId, KvLocator>> records, int intact)
    {
        var writing = Task.FromResult(true);
        for (var next = 0; next < records.Count;)
        {
            var batch = Batch(records, ref next, intact);
            var bytes = batch.Sum(record => record.Value.Length);
            var buffer = ArrayPool<byte>.Shared.Rent(bytes);
            var parts = await ReadAsync(batch, buffer);
            // A record past the first that is missing is of no use, but harms nobody either: what is past it is forgotten.
            if (parts.Count < batch.Count) intact = Math.Min(intact, FirstMissing(batch, parts));
            var written = await writing;
            if (!written) intact = 0;
            writing = written ? WriteAsync(parts, buffer) : ReturnAsync(buffer);
        }
        return await writing ? intact : 0;
    }

    /// <summary>The next records of tokens before <paramref name="intact"/>.</summary>
    private static List<KeyValuePair<KvRecordId, KvLocator>> Batch(IReadOnlyList<KeyValuePair<KvRecordId, KvLocator>> records, ref int next, int intact)
    {
        var (batch, bytes) = (new List<KeyValuePair<KvRecordId, KvLocator>>(), 0L);
        for (; next < records.Count && bytes < BatchBytes; next++)
        {
            if (records[next].Key.First >= intact) continue;
            batch.Add(records[next]);
            bytes += records[next].Value.Length;
        }
        return batch;
    }

    /// <summary>Those that are what was written.</summary>
    private async Task<List<KvPart>> ReadAsync(List<KeyValuePair<KvRecordId, KvLocator>> batch, byte[] buffer)
    {
        var (wanted, at) = (new List<KvRead>(batch.Count), 0);
        foreach (var (id, place) in batch)
        {
            wanted.Add(new(id, place, buffer.AsMemory(at, place.Length)));
            at += place.Length;
        }
        try
        {
            var good = await store.ReadAsync(key, wanted);
            return [.. wanted.Where((_, i) => good[i]).Select(record => PageRecords.PartOf(record.Id, record.To))];
        }
        catch (SessionStoreException)
        {
            return [];
        }
    }

    private async Task<bool> WriteAsync(List<KvPart> parts, byte[] buffer)
    {
        try
        {
            return await engine.ImportAsync(import, parts);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static Task<bool> ReturnAsync(byte[] buffer)
    {
        ArrayPool<byte>.Shared.Return(buffer);
        return Task.FromResult(false);
    }

    private static int FirstMissing(List<KeyValuePair<KvRecordId, KvLocator>> batch, List<KvPart> parts)
    {
        var found = parts.Select(part => PageRecords.IdOf(part)).ToHashSet();
        return batch.Where(record => !found.Contains(record.Key)).Min(record => record.Key.First);
    }
}
