using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>
/// Keeps the bytes of sessions' KV records. What is written is referred to by locators alone, which belong to the session's snapshot:
/// bytes that no snapshot names are garbage. Losing or damaging a record costs time, never a conversation. Calls for one session come
/// one after another; sessions are independent of each other.
/// </summary>
public interface IKvPageStore
{
    /// <summary>Adds records; durable when it returns. What was written before stays where it is.</summary>
    /// <param name="epoch">The turn that the records belong to.</param>
    /// <returns>A locator for each record, in order.</returns>
    /// <exception cref="SessionStoreException">They couldn't be written; whatever was written in part is garbage.</exception>
    ValueTask<IReadOnlyList<KvLocator>> WriteAsync(SessionKey key, int epoch, IReadOnlyList<KvRecord> records, CancellationToken cancellation = default);

    /// <summary>Reads records to where they are wanted; of each whether it is there and what was written, bytes that are not are worthless.</summary>
    ValueTask<IReadOnlyList<bool>> ReadAsync(SessionKey key, IReadOnlyList<KvRead> wanted, CancellationToken cancellation = default);

    /// <summary>Drops all records of a session; false when there were none.</summary>
    ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellation = default);

    /// <summary>Bytes that the session takes, garbage included.</summary>
    ValueTask<long> SizeAsync(SessionKey key, CancellationToken cancellation = default);

    /// <summary>Bytes that all sessions take; null if that can't be told at a reasonable cost.</summary>
    ValueTask<long?> TotalSizeAsync(CancellationToken cancellation = default) => ValueTask.FromResult<long?>(null);

    /// <summary>Bytes that all sessions may take; null without a limit.</summary>
    long? MaxBytes => null;

    /// <summary>
    /// Copies the live records to a new place, in order, and gives their new locators: null in place of each that is damaged. The old
    /// ones stay good until <see cref="RetireAsync"/>, which is called when the session's state names the new ones.
    /// </summary>
    ValueTask<IReadOnlyList<KvLocator?>> CompactAsync(
        SessionKey key, IReadOnlyList<KeyValuePair<KvRecordId, KvLocator>> live, CancellationToken cancellation = default);

    /// <summary>Drops the files before <paramref name="file"/>.</summary>
    ValueTask RetireAsync(SessionKey key, int file, CancellationToken cancellation = default);
}

public static class KvPageStoreExtensions
{
    /// <summary>Reads records into memory of their own; null in place of each that isn't there or isn't what was written.</summary>
    public static async ValueTask<IReadOnlyList<byte[]?>> ReadAsync(
        this IKvPageStore store, SessionKey key, IReadOnlyList<KeyValuePair<KvRecordId, KvLocator>> wanted, CancellationToken cancellation = default)
    {
        var bytes = wanted.Select(record => record.Value.Length is < 0 or > KvLocator.MaxLength ? [] : new byte[record.Value.Length]).ToArray();
        var intact = await store.ReadAsync(key, [.. wanted.Select((record, i) => new KvRead(record.Key, record.Value, bytes[i]))], cancellation);
        return [.. bytes.Select((record, i) => intact[i] ? record : null)];
    }
}
