using LServe.Contracts;
using LServe.Sessions;

namespace LServe.Stores.Local;

/// <summary>
/// Keeps the bytes of all page files within a limit: past it the sessions that were used longest ago lose their pages, state first, and are
/// computed again when they go on. The session that is being written keeps its own.
/// </summary>
internal sealed class LimitedPageStore(LocalKvPageStore pages, StateDatabase database, long maxBytes) : IKvPageStore, IDisposable
{
    /// <summary>Share of the limit that is left over once pages were dropped, so that the next turn needn't drop more.</summary>
    private const double Refill = 0.9;

    /// <summary>Sessions: most that are looked up at once.</summary>
    private const int MaxListed = 64;

    private readonly SemaphoreSlim _dropping = new(1);
    private long _bytes = -1;

    public async ValueTask<IReadOnlyList<KvLocator>> WriteAsync(
        SessionKey key, int epoch, IReadOnlyList<KvRecord> records, CancellationToken cancellation = default)
    {
        var places = await pages.WriteAsync(key, epoch, records, cancellation);
        await _dropping.WaitAsync(cancellation);
        try
        {
            // Counted once, and guessed from then on: what else grows and shrinks files is small beside what turns write.
            _bytes = _bytes < 0 ? pages.TotalBytes() : _bytes + records.Sum(record => (long)record.Bytes.Length);
            if (_bytes > maxBytes && (_bytes = pages.TotalBytes()) > maxBytes) await DropAsync(key);
        }
        finally
        {
            _dropping.Release();
        }
        return places;
    }

    public ValueTask<IReadOnlyList<bool>> ReadAsync(SessionKey key, IReadOnlyList<KvRead> wanted, CancellationToken cancellation = default) =>
        pages.ReadAsync(key, wanted, cancellation);

    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellation = default) => pages.DeleteAsync(key, cancellation);

    public ValueTask<long> SizeAsync(SessionKey key, CancellationToken cancellation = default) => pages.SizeAsync(key, cancellation);

    public ValueTask<long?> TotalSizeAsync(CancellationToken cancellation = default) => pages.TotalSizeAsync(cancellation);

    public long? MaxBytes => maxBytes;

    public ValueTask<IReadOnlyList<KvLocator?>> CompactAsync(
        SessionKey key, IReadOnlyList<KeyValuePair<KvRecordId, KvLocator>> live, CancellationToken cancellation = default) =>
        pages.CompactAsync(key, live, cancellation);

    public ValueTask RetireAsync(SessionKey key, int file, CancellationToken cancellation = default) => pages.RetireAsync(key, file, cancellation);

    public void Dispose() => _dropping.Dispose();

    private async Task DropAsync(SessionKey spared)
    {
        while (_bytes > maxBytes * Refill)
        {
            var oldest = await database.ReadAsync(transaction => SessionRow.ListWithPages(transaction, MaxListed), CancellationToken.None);
            var dropped = oldest.Where(key => key != spared).ToList();
            if (dropped.Count == 0) return;
            foreach (var key in dropped)
            {
                if (_bytes <= maxBytes * Refill) return;
                _bytes -= await pages.SizeAsync(key);
                await database.WriteAsync(transaction => (RecordRows.RemoveAll(transaction, SessionId.Of(key)), (JournalEntry?)null), CancellationToken.None);
                await pages.DeleteAsync(key);
            }
        }
    }
}
