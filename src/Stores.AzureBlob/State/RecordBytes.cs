using LServe.Sessions;

namespace LServe.Stores.AzureBlob;

/// <summary>
/// Changes and moves of records as bytes, little-endian. An id is kind, first, end (i32 each); a place is file (i32), offset (i64),
/// length, epoch (i32 each), checksum (u64).
/// </summary>
internal static class RecordBytes
{
    /// <summary>Count of ids, the ids; count of records, id and place of each.</summary>
    public static byte[] Write(RecordChange change) => Write(writer =>
    {
        writer.Write(change.Removed.Count);
        foreach (var id in change.Removed) Write(writer, id);
        writer.Write(change.Added.Count);
        foreach (var (id, place) in change.Added)
        {
            Write(writer, id);
            Write(writer, place);
        }
    });

    /// <summary>Count of records; of each the old place, whether there is a new one, and that.</summary>
    public static byte[] Write(IReadOnlyDictionary<KvLocator, KvLocator?> moved) => Write(writer =>
    {
        writer.Write(moved.Count);
        foreach (var (from, to) in moved)
        {
            Write(writer, from);
            writer.Write(to is not null);
            if (to is { } there) Write(writer, there);
        }
    });

    /// <exception cref="EndOfStreamException">The bytes end too early.</exception>
    public static RecordChange ReadChange(ReadOnlyMemory<byte> bytes)
    {
        using var reader = ReaderOf(bytes);
        var (removed, added) = (new List<KvRecordId>(), new List<KeyValuePair<KvRecordId, KvLocator>>());
        for (var left = reader.ReadInt32(); left > 0; left--) removed.Add(ReadId(reader));
        for (var left = reader.ReadInt32(); left > 0; left--) added.Add(new(ReadId(reader), ReadPlace(reader)));
        return new(removed, added);
    }

    /// <exception cref="EndOfStreamException">The bytes end too early.</exception>
    public static Dictionary<KvLocator, KvLocator?> ReadMoves(ReadOnlyMemory<byte> bytes)
    {
        using var reader = ReaderOf(bytes);
        var moved = new Dictionary<KvLocator, KvLocator?>();
        for (var left = reader.ReadInt32(); left > 0; left--) moved[ReadPlace(reader)] = reader.ReadBoolean() ? ReadPlace(reader) : null;
        return moved;
    }

    private static byte[] Write(Action<BinaryWriter> write)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        write(writer);
        writer.Flush();
        return bytes.ToArray();
    }

    private static BinaryReader ReaderOf(ReadOnlyMemory<byte> bytes) => new(new MemoryStream(bytes.ToArray(), writable: false));

    private static void Write(BinaryWriter writer, KvRecordId id)
    {
        writer.Write((int)id.Kind);
        writer.Write(id.First);
        writer.Write(id.End);
    }

    private static void Write(BinaryWriter writer, KvLocator place)
    {
        writer.Write(place.File);
        writer.Write(place.Offset);
        writer.Write(place.Length);
        writer.Write(place.Epoch);
        writer.Write(place.Checksum);
    }

    private static KvRecordId ReadId(BinaryReader reader) => new((KvRecordKind)reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32());

    private static KvLocator ReadPlace(BinaryReader reader) =>
        new(reader.ReadInt32(), reader.ReadInt64(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadUInt64());
}
