using System.Buffers;
using Azure;
using Azure.Storage.Blobs;
using LServe.Contracts;
using LServe.Sessions;

namespace LServe.Stores.AzureBlob;

/// <summary>
/// Records in append blobs, in the form that KV_LAYOUT gives them in files. Nothing that was written is ever written over, and the service
/// says where it put what was added: processes that write for the same session only leave each other garbage.
/// </summary>
internal sealed class BlobKvPageStore(BlobContainerClient container, AzureBlobOptions options, AzureFailures failures) : IKvPageStore
{
    private const int NotFound = 404, RangeNotSatisfiable = 416;

    private readonly PageBlobs _blobs = new(container, options);
    private readonly SemaphoreSlim _reading = new(options.MaxReads);

    public async ValueTask<IReadOnlyList<KvLocator>> WriteAsync(
        SessionKey key, int epoch, IReadOnlyList<KvRecord> records, CancellationToken cancellation = default) =>
        await failures.RunAsync(() => AppendAsync(key, [.. records.Select(record => (record, epoch))], cancellation));

    public async ValueTask<IReadOnlyList<bool>> ReadAsync(SessionKey key, IReadOnlyList<KvRead> wanted, CancellationToken cancellation = default)
    {
        var intact = new bool[wanted.Count];
        await failures.RunAsync(() => Task.WhenAll(PageRange.Of(wanted, options.ReadBytes).Select(range => ReadAsync(key, range, wanted, intact, cancellation))));
        return intact;
    }

    public async ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellation = default) =>
        await failures.RunAsync(() => _blobs.DeleteAsync(key, int.MaxValue, cancellation));

    public async ValueTask<long> SizeAsync(SessionKey key, CancellationToken cancellation = default) =>
        await failures.RunAsync(() => _blobs.SizeAsync(key, cancellation));

    public async ValueTask<IReadOnlyList<KvLocator?>> CompactAsync(
        SessionKey key, IReadOnlyList<KeyValuePair<KvRecordId, KvLocator>> live, CancellationToken cancellation = default)
    {
        await failures.RunAsync(() => _blobs.BeginAsync(key, cancellation));
        var places = new KvLocator?[live.Count];
        for (var next = 0; next < places.Length;)
        {
            var (end, bytes) = (next, 0L);
            for (; end < places.Length && (bytes == 0 || bytes + live[end].Value.Length <= options.WriteBytes); end++) bytes += live[end].Value.Length;
            await CopyAsync(key, live, next..end, places, cancellation);
            next = end;
        }
        return places;
    }

    public async ValueTask RetireAsync(SessionKey key, int file, CancellationToken cancellation = default) =>
        await failures.RunAsync(() => _blobs.DeleteAsync(key, file, cancellation));

    private async Task CopyAsync(
        SessionKey key, IReadOnlyList<KeyValuePair<KvRecordId, KvLocator>> live, Range part, KvLocator?[] places, CancellationToken cancellation)
    {
        var (first, count) = part.GetOffsetAndLength(live.Count);
        var read = await this.ReadAsync(key, [.. live.Skip(first).Take(count)], cancellation);
        var good = Enumerable.Range(0, count).Where(i => read[i] is not null).ToList();
        var copies = await failures.RunAsync(() => AppendAsync(
            key, [.. good.Select(i => (new KvRecord(live[first + i].Key, read[i]), live[first + i].Value.Epoch))], cancellation));
        for (var i = 0; i < good.Count; i++) places[first + good[i]] = copies[i];
    }

    private async Task<IReadOnlyList<KvLocator>> AppendAsync(SessionKey key, IReadOnlyList<(KvRecord Record, int Epoch)> records, CancellationToken cancellation)
    {
        if (records.Count == 0) return [];
        var size = records.Sum(r => (long)RecordHeader.Bytes + r.Record.Bytes.Length);
        var bytes = ArrayPool<byte>.Shared.Rent(checked((int)size));
        try
        {
            var (locators, at, session) = (new KvLocator[records.Count], 0, SessionId.Of(key));
            for (var i = 0; i < locators.Length; i++)
            {
                var (record, epoch) = records[i];
                var checksum = RecordHeader.Write(bytes.AsSpan(at, RecordHeader.Bytes), session, record.Id, epoch, record.Bytes.Span);
                record.Bytes.CopyTo(bytes.AsMemory(at + RecordHeader.Bytes));
                locators[i] = new(0, at, record.Bytes.Length, epoch, checksum);
                at += RecordHeader.Bytes + record.Bytes.Length;
            }
            var (file, offset) = await _blobs.AppendAsync(key, bytes.AsMemory(0, at), cancellation);
            return [.. locators.Select(place => place with { File = file, Offset = offset + place.Offset })];
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private async Task ReadAsync(SessionKey key, PageRange range, IReadOnlyList<KvRead> wanted, bool[] intact, CancellationToken cancellation)
    {
        await _reading.WaitAsync(cancellation);
        var buffer = ArrayPool<byte>.Shared.Rent(checked((int)range.Length));
        try
        {
            var length = await DownloadAsync(key, range, buffer, cancellation);
            foreach (var i in range.Records)
            {
                var (id, place, to) = wanted[i];
                var at = (int)(place.Offset - range.Offset);
                if (at + RecordHeader.Bytes + place.Length > length) continue;
                buffer.AsMemory(at + RecordHeader.Bytes, place.Length).CopyTo(to);
                intact[i] = RecordHeader.IsIntact(buffer.AsSpan(at, RecordHeader.Bytes), SessionId.Of(key), id, place, to.Span);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            _reading.Release();
        }
    }

    /// <summary>Bytes that are there of a range.</summary>
    private async Task<int> DownloadAsync(SessionKey key, PageRange range, byte[] to, CancellationToken cancellation)
    {
        try
        {
            var blob = await _blobs.ClientOf(key, range.File).DownloadStreamingAsync(new() { Range = new(range.Offset, range.Length) }, cancellation);
            using var content = blob.Value.Content;
            return await content.ReadAtLeastAsync(to.AsMemory(0, (int)range.Length), (int)range.Length, throwOnEndOfStream: false, cancellation);
        }
        catch (RequestFailedException missing) when (missing.Status is NotFound or RangeNotSatisfiable)
        {
            return 0;
        }
    }
}
