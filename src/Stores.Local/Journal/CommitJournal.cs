using System.Buffers.Binary;
using LServe.Sessions;
using Microsoft.Win32.SafeHandles;

namespace LServe.Stores.Local;

/// <summary>
/// A second copy of the commits that the database has in its write-ahead log. SQLite takes a damaged frame of that log for its end, and
/// says nothing of the commits behind it; with this file they are noticed and done again. Written and synced before the database commits,
/// emptied when the log is.
/// <code>
/// entry: 0  magic 'LJN1'    4  length    8  ~length    12  XXH64 of the bytes    20  bytes
/// </code>
/// </summary>
internal sealed class CommitJournal : IDisposable
{
    /// <summary>Bytes past which the database's log is folded into it and the journal emptied.</summary>
    public const long MaxBytes = 8 << 20;

    private const int HeaderBytes = 20;
    private const uint Magic = 0x314E4A4C;

    private readonly IStoreFiles _files;
    private readonly SafeFileHandle _file;

    public CommitJournal(string path, IStoreFiles files)
    {
        (_files, _file) = (files, files.OpenToAppend(path));
        Length = RandomAccess.GetLength(_file);
        if (Length == 0) files.SyncFolder(FaultPoints.JournalReset, Path.GetDirectoryName(path)!);
    }

    /// <summary>Bytes of whole entries.</summary>
    public long Length { get; private set; }

    /// <summary>Adds entries, in order; durable when it returns.</summary>
    public void Append(IReadOnlyList<JournalEntry> entries)
    {
        if (entries.Count == 0) return;
        var pieces = new List<ReadOnlyMemory<byte>>(2 * entries.Count);
        foreach (var entry in entries)
        {
            var bytes = entry.Write();
            pieces.Add(HeaderOf(bytes));
            pieces.Add(bytes);
        }
        _files.Write(FaultPoints.JournalWrite, _file, pieces, Length);
        _files.Sync(FaultPoints.JournalSync, _file);
        Length += pieces.Sum(piece => (long)piece.Length);
    }

    private static byte[] HeaderOf(byte[] bytes)
    {
        var header = new byte[HeaderBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), bytes.Length);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), ~bytes.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(12), XxHash64.Hash(bytes));
        return header;
    }

    /// <summary>Takes back entries whose commit failed.</summary>
    public void CutTo(long length)
    {
        Length = length;
        _files.Truncate(FaultPoints.JournalWrite, _file, length);
    }

    /// <summary>Forgets all entries: the database has them without its log.</summary>
    public void Empty()
    {
        _files.Truncate(FaultPoints.JournalReset, _file, 0);
        Length = 0;
    }

    /// <summary>
    /// The entries in order; an entry that was cut short is none, since its commit wasn't begun. Null if the file is damaged: then the
    /// database alone is to be believed, since what isn't readable here may have undone what is.
    /// </summary>
    public List<JournalEntry>? Read()
    {
        var (entries, header) = (new List<JournalEntry>(), new byte[HeaderBytes]);
        for (long at = 0; RandomAccess.Read(_file, header, at) == HeaderBytes;)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(4));
            if (BinaryPrimitives.ReadUInt32LittleEndian(header) != Magic || BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(8)) != ~length || length < 0) return null;
            at += HeaderBytes;
            if (at + length > RandomAccess.GetLength(_file)) break;
            var bytes = new byte[length];
            if (RandomAccess.Read(_file, bytes, at) != length || XxHash64.Hash(bytes) != BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(12))) return null;
            entries.Add(JournalEntry.Read(bytes));
            at += length;
        }
        return entries;
    }

    public void Dispose() => _file.Dispose();
}
