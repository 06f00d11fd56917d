using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>Reads a session that <see cref="SessionExport"/> wrote. The file may come from anybody: nothing in it is believed unchecked.</summary>
public static class SessionImport
{
    /// <summary>Bytes: longest line.</summary>
    private const int MaxLineBytes = 64 << 20;

    /// <summary>Bytes: longest record, some times a page of a large model.</summary>
    private const int MaxRecordBytes = 128 << 20;

    /// <summary>Bytes of records that are written at once.</summary>
    private const long BatchBytes = 8 << 20;

    /// <summary>The session, which is kept when this returns.</summary>
    /// <param name="name">Null: the name it had.</param>
    /// <exception cref="LServeException">The file is no session or damaged, or there is a session of that name.</exception>
    public static async Task<SessionInfo> RunAsync(SessionStores stores, string tenant, string? name, Stream from, CancellationToken cancellation = default)
    {
        var reader = PipeReader.Create(from, new StreamPipeReaderOptions(leaveOpen: true));
        try
        {
            var document = await ReadLineAsync(reader, TransferJson.Default.SessionDocument, cancellation);
            var snapshot = document.ToSnapshot(new(tenant, name ?? document.SessionId));
            await SessionFork.CheckFreeAsync(stores, snapshot.Key, cancellation);
            snapshot = snapshot with { LastUsed = stores.Time.GetUtcNow(), Kv = await ReadRecordsAsync(stores, snapshot, document.Records, reader, cancellation) };
            await SessionFork.SaveNewAsync(stores, snapshot, cancellation);
            return Session.Describe(snapshot);
        }
        finally
        {
            await reader.CompleteAsync();
        }
    }

    private static async Task<IReadOnlyDictionary<KvRecordId, KvLocator>> ReadRecordsAsync(
        SessionStores stores, SessionSnapshot snapshot, int count, PipeReader reader, CancellationToken cancellation)
    {
        if (stores.Pages is not { } pages) return SessionSnapshot.NoRecords;
        var (kv, batch, bytes) = (new Dictionary<KvRecordId, KvLocator>(), new List<KvRecord>(), 0L);
        for (var i = 0; i < count; i++)
        {
            batch.Add(await ReadRecordAsync(reader, i, cancellation));
            bytes += batch[^1].Bytes.Length;
            if (bytes < BatchBytes && i + 1 < count) continue;
            var places = await pages.WriteAsync(snapshot.Key, snapshot.Turns, batch, cancellation);
            for (var j = 0; j < places.Count; j++) kv[batch[j].Id] = places[j];
            batch.Clear();
            bytes = 0;
        }
        return kv;
    }

    private static async Task<KvRecord> ReadRecordAsync(PipeReader reader, int index, CancellationToken cancellation)
    {
        var line = await ReadLineAsync(reader, TransferJson.Default.RecordLine, cancellation);
        if (!Enum.IsDefined(line.Kind) || line.Length is < 0 or > MaxRecordBytes) throw SessionDocument.Invalid($"record {index} of its pages is none");
        var read = await reader.ReadAtLeastAsync(line.Length, cancellation);
        if (read.Buffer.Length < line.Length) throw SessionDocument.Invalid($"it ends within record {index} of its pages");
        var bytes = read.Buffer.Slice(0, line.Length).ToArray();
        reader.AdvanceTo(read.Buffer.GetPosition(line.Length));
        return Convert.ToHexStringLower(SHA256.HashData(bytes)) == line.Sha256
            ? new(line.Id, bytes)
            : throw SessionDocument.Invalid($"record {index} of its pages is damaged; export it again, or without its pages");
    }

    private static async Task<T> ReadLineAsync<T>(PipeReader reader, JsonTypeInfo<T> type, CancellationToken cancellation) where T : class
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancellation);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var value = Parse(read.Buffer.Slice(0, end), type);
                reader.AdvanceTo(read.Buffer.GetPosition(1, end));
                return value;
            }
            if (read.IsCompleted) throw SessionDocument.Invalid("it ends too early");
            if (read.Buffer.Length > MaxLineBytes) throw SessionDocument.Invalid($"it has a line of more than {MaxLineBytes >> 20} MiB");
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static T Parse<T>(ReadOnlySequence<byte> line, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            var json = new Utf8JsonReader(line);
            return JsonSerializer.Deserialize(ref json, type) ?? throw SessionDocument.Invalid("a line of it is null");
        }
        catch (JsonException problem)
        {
            throw SessionDocument.Invalid($"a line of it isn't what it should be ({problem.Message})", problem);
        }
    }
}
