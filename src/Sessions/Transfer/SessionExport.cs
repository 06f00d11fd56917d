using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LServe.Contracts;
using LServe.Inference;

namespace LServe.Sessions;

/// <summary>Writes a session to a stream, see <see cref="SessionDocument"/>.</summary>
public static class SessionExport
{
    private const byte LineEnd = (byte)'\n';

    /// <summary>Text stays readable: the file is never part of a web page.</summary>
    private static readonly TransferJson s_json = new(new JsonSerializerOptions(TransferJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>False, and nothing is written, when there is no such session.</summary>
    /// <param name="withPages">Whether its KV cache goes along, so that the other side needn't compute it again.</param>
    /// <exception cref="SessionStoreException">It is damaged, or can't be read.</exception>
    public static async Task<bool> RunAsync(SessionStores stores, SessionKey key, bool withPages, Stream to, CancellationToken cancellation = default)
    {
        if (await stores.Sessions.LoadAsync(key, cancellation) is not { } stored) return false;
        var records = withPages && stores.Pages is not null ? await WholeRecordsAsync(stores.Pages, stored.Snapshot, cancellation) : [];
        await WriteLineAsync(to, SessionDocument.Of(stored.Snapshot, records.Count), s_json.SessionDocument, cancellation);
        foreach (var record in records)
        {
            // What was damaged or moved since it was counted ends the file early, which its reader notices.
            if ((await stores.Pages!.ReadAsync(key, [record], cancellation))[0] is not { } bytes)
                throw new SessionStoreException(StoreFailure.Unavailable, $"Session {key} changed while it was exported; export it again.");
            var line = new RecordLine(record.Key.Kind, record.Key.First, record.Key.End, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)));
            await WriteLineAsync(to, line, s_json.RecordLine, cancellation);
            await to.WriteAsync(bytes, cancellation);
        }
        await to.FlushAsync(cancellation);
        return true;
    }

    /// <summary>Those that are what was written.</summary>
    private static async Task<List<KeyValuePair<KvRecordId, KvLocator>>> WholeRecordsAsync(IKvPageStore pages, SessionSnapshot snapshot, CancellationToken cancellation)
    {
        var whole = new List<KeyValuePair<KvRecordId, KvLocator>>();
        foreach (var record in snapshot.Kv.OrderBy(r => (r.Key.Kind, r.Key.First)))
            if ((await pages.ReadAsync(snapshot.Key, [record], cancellation))[0] is not null)
                whole.Add(record);
        return whole;
    }

    private static async Task WriteLineAsync<T>(Stream to, T value, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        var line = JsonSerializer.SerializeToUtf8Bytes(value, type);
        await to.WriteAsync(line, cancellation);
        await to.WriteAsync(new[] { LineEnd }, cancellation);
    }
}
