using System.Buffers;
using LServe.Contracts;
using LServe.Inference;

namespace LServe.Sessions;

/// <summary>
/// Brings records into the engine. Whole pages are read to where they belong, by several threads; what is less than a page goes through a
/// buffer and the step loop, batch by batch.
/// </summary>
internal sealed class PageReader(IKvPageStore store, Engine engine, SessionKey key, PageImport import)
{
    /// <summary>Bytes of a batch, but for a last record. One is in memory at once, whatever the session's length.</summary>
    private const long BatchBytes = 8 << 20;

    /// <summary>Threads that read whole pages: memory is the limit, not they.</summary>
    private const int MaxThreads = 4;

    /// <summary>Tokens that were brought back, from the first on.</summary>
    /// <param name="records">By pool and position.</param>
    /// <param name="intact">Tokens that have records.</param>
    public async Task<int> ReadAsync(IReadOnlyList<KeyValuePair<KvRecordId, KvLocator>> records, int intact)
    {
        var (whole, partial) = (new List<KvRead>(), new List<KeyValuePair<KvRecordId, KvLocator>>());
        foreach (var record in records.Where(record => record.Key.First < intact))
            if (engine.MemoryOf(import, PageRecords.PartOf(record.Key)) is { } memory) whole.Add(new(record.Key, record.Value, memory));
            else partial.Add(record);
        intact = Math.Min(intact, await ReadWholeAsync(whole));
        return Math.Min(intact, await ReadPartialAsync(partial));
    }

    /// <summary>Position of the first token that wasn't read.</summary>
    private async Task<int> ReadWholeAsync(List<KvRead> wanted)
    {
        var threads = Math.Min(MaxThreads, Environment.ProcessorCount);
        var share = (wanted.Count + threads - 1) / threads;
        var missing = await Task.WhenAll(wanted.Chunk(Math.Max(1, share)).Select(part => Task.Run(() => ReadAsync(part))));
        return missing.Append(int.MaxValue).Min();
    }

    private async Task<int> ReadPartialAsync(List<KeyValuePair<KvRecordId, KvLocator>> records)
    {
        var missing = int.MaxValue;
        for (var next = 0; next < records.Count;)
        {
            var (end, bytes) = (next, 0L);
            for (; end < records.Count && bytes < BatchBytes; end++) bytes += records[end].Value.Length;
            var buffer = ArrayPool<byte>.Shared.Rent(checked((int)bytes));
            var wanted = Place(records[next..end], buffer);
            missing = Math.Min(missing, await ReadAsync(wanted));
            // What is past the first that is missing is of no use, but harms nobody either: it is forgotten.
            var written = await engine.ImportAsync(import, [.. wanted.Select(record => PageRecords.PartOf(record.Id, record.To))]);
            ArrayPool<byte>.Shared.Return(buffer);
            if (!written) return 0;
            next = end;
        }
        return missing;
    }

    /// <summary>Position of the first token that wasn't read.</summary>
    private async Task<int> ReadAsync(IReadOnlyList<KvRead> wanted)
    {
        try
        {
            var good = await store.ReadAsync(key, wanted);
            return wanted.Where((_, i) => !good[i]).Select(record => record.Id.First).Append(int.MaxValue).Min();
        }
        catch (SessionStoreException)
        {
            return wanted.Min(record => record.Id.First);
        }
    }

    private static List<KvRead> Place(List<KeyValuePair<KvRecordId, KvLocator>> records, byte[] buffer)
    {
        var (wanted, at) = (new List<KvRead>(records.Count), 0);
        foreach (var (id, place) in records)
        {
            wanted.Add(new(id, place, buffer.AsMemory(at, place.Length)));
            at += place.Length;
        }
        return wanted;
    }
}
