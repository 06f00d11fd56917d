using System.Text.Json;

namespace LServe.Sessions;

/// <summary>
/// What a process had in memory of a session when it let it go: its last committed state, with where its pages are kept. Who takes it
/// over needs no load, and its first commit fails as any other if somebody else has committed since.
/// </summary>
public sealed record SessionHandover(SessionSnapshot Snapshot, string ETag)
{
    /// <summary>Bytes of <see cref="Write"/>: most that are carried; more is loaded from the store instead.</summary>
    public const int MaxBytes = 64 << 10;

    /// <summary>As bytes, or null when there would be too many.</summary>
    public byte[]? Write()
    {
        var records = Snapshot.Kv.Select(r => new HandoverRecord(r.Key, r.Value)).ToArray();
        var document = new HandoverDocument(SessionDocument.Of(Snapshot, records.Length), Snapshot.Key.Tenant, ETag, records);
        var bytes = JsonSerializer.SerializeToUtf8Bytes(document, TransferJson.Default.HandoverDocument);
        return bytes.Length <= MaxBytes ? bytes : null;
    }

    /// <summary>What <see cref="Write"/> wrote; null, so that the session is loaded, if it is of another version.</summary>
    public static SessionHandover? Read(ReadOnlySpan<byte> bytes)
    {
        try
        {
            if (JsonSerializer.Deserialize(bytes, TransferJson.Default.HandoverDocument) is not { Session: not null, Kv: not null, ETag: not null } document) return null;
            var snapshot = document.Session.ToSnapshot(new(document.Tenant, document.Session.SessionId));
            return new(snapshot with { Kv = document.Kv.ToDictionary(r => r.Id, r => r.Place) }, document.ETag);
        }
        catch (Exception problem) when (problem is JsonException or Contracts.LServeException)
        {
            return null;
        }
    }
}

internal sealed record HandoverRecord(KvRecordId Id, KvLocator Place);

internal sealed record HandoverDocument(SessionDocument Session, string Tenant, string ETag, IReadOnlyList<HandoverRecord> Kv);
