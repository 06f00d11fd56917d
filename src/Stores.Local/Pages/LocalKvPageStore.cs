using LServe.Contracts;
using LServe.Sessions;
using Microsoft.Win32.SafeHandles;

namespace LServe.Stores.Local;

/// <summary>Records in files that only grow: nothing that was written is ever written over. See KV_LAYOUT.</summary>
internal sealed class LocalKvPageStore(string root, IStoreFiles files) : IKvPageStore
{
    private readonly PageFiles _names = new(root);

    public ValueTask<IReadOnlyList<KvLocator>> WriteAsync(
        SessionKey key, int epoch, IReadOnlyList<KvRecord> records, CancellationToken cancellation = default) =>
        RunAsync<IReadOnlyList<KvLocator>>(() => Write(key, epoch, records));

    public ValueTask<IReadOnlyList<bool>> ReadAsync(SessionKey key, IReadOnlyList<KvRead> wanted, CancellationToken cancellation = default) =>
        RunAsync<IReadOnlyList<bool>>(() =>
        {
            using var reading = new PageReader(_names, key);
            return wanted.Select(record => reading.Read(record.Id, record.Place, record.To)).ToArray();
        });

    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellation = default) => RunAsync(() =>
    {
        var found = _names.Of(key);
        foreach (var file in found) files.Delete(FaultPoints.CompactDelete, _names.PathOf(key, file));
        return found.Count > 0;
    });

    public ValueTask<long> SizeAsync(SessionKey key, CancellationToken cancellation = default) =>
        RunAsync(() => _names.Of(key).Sum(file => new FileInfo(_names.PathOf(key, file)).Length));

    public ValueTask<long?> TotalSizeAsync(CancellationToken cancellation = default) => RunAsync<long?>(() => TotalBytes());

    /// <summary>Bytes of all sessions' files.</summary>
    public long TotalBytes() => new DirectoryInfo(root).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);

    public ValueTask<IReadOnlyList<KvLocator?>> CompactAsync(
        SessionKey key, IReadOnlyList<KeyValuePair<KvRecordId, KvLocator>> live, CancellationToken cancellation = default) =>
        RunAsync<IReadOnlyList<KvLocator?>>(() => Compact(key, live));

    public async ValueTask RetireAsync(SessionKey key, int file, CancellationToken cancellation = default) => await RunAsync(() =>
    {
        foreach (var old in _names.Of(key).Where(f => f < file)) files.Delete(FaultPoints.CompactDelete, _names.PathOf(key, old));
        return true;
    });

    private KvLocator[] Write(SessionKey key, int epoch, IReadOnlyList<KvRecord> records)
    {
        var existing = _names.Of(key);
        var file = existing.Count == 0 ? 0 : existing[^1];
        Directory.CreateDirectory(_names.FolderOf(key));
        using var handle = files.OpenToAppend(_names.PathOf(key, file));
        var offset = RandomAccess.GetLength(handle);
        var locators = new KvLocator[records.Count];
        for (var i = 0; i < locators.Length; i++)
            offset = Append(FaultPoints.PagesWrite, handle, key, file, offset, records[i].Id, epoch, records[i].Bytes, out locators[i]);
        files.Sync(FaultPoints.PagesSync, handle);
        if (existing.Count == 0) SyncNewFile(FaultPoints.PagesFolderSync, key);
        return locators;
    }

    private KvLocator?[] Compact(SessionKey key, IReadOnlyList<KeyValuePair<KvRecordId, KvLocator>> live)
    {
        var existing = _names.Of(key);
        var file = existing.Count == 0 ? 0 : existing[^1] + 1;
        var (path, aside) = (_names.PathOf(key, file), _names.PathOf(key, file) + ".new");
        var locators = new KvLocator?[live.Count];
        Directory.CreateDirectory(_names.FolderOf(key));
        File.Delete(aside);
        using (var handle = files.OpenToAppend(aside))
        {
            using var reading = new PageReader(_names, key);
            var (offset, buffer) = (0L, new byte[live.Max(record => Math.Clamp(record.Value.Length, 0, KvLocator.MaxLength))]);
            for (var i = 0; i < locators.Length; i++)
            {
                if (live[i].Value.Length is < 0 or > KvLocator.MaxLength) continue;
                var bytes = buffer.AsMemory(0, live[i].Value.Length);
                if (!reading.Read(live[i].Key, live[i].Value, bytes)) continue;
                offset = Append(FaultPoints.CompactWrite, handle, key, file, offset, live[i].Key, live[i].Value.Epoch, bytes, out var moved);
                locators[i] = moved;
            }
            files.Sync(FaultPoints.CompactSync, handle);
        }
        files.Rename(FaultPoints.CompactRename, aside, path);
        SyncNewFile(FaultPoints.CompactFolderSync, key);
        return locators;
    }

    /// <summary>Writes a record at <paramref name="offset"/>; the offset after it.</summary>
    private long Append(
        string point, SafeFileHandle handle, SessionKey key, int file, long offset, KvRecordId id, int epoch, ReadOnlyMemory<byte> bytes, out KvLocator locator)
    {
        var header = new byte[RecordHeader.Bytes];
        var checksum = RecordHeader.Write(header, SessionId.Of(key), id, epoch, bytes.Span);
        files.Write(point, handle, [header, bytes], offset);
        locator = new(file, offset, bytes.Length, epoch, checksum);
        return offset + RecordHeader.Bytes + bytes.Length;
    }

    /// <summary>A new file's name must outlast a power failure, and so must that of its folder, which may be new as well.</summary>
    private void SyncNewFile(string point, SessionKey key)
    {
        files.SyncFolder(point, _names.FolderOf(key));
        files.SyncFolder(point, root);
    }

    private static async ValueTask<T> RunAsync<T>(Func<T> work) => await Task.Run(() => StoreFailures.Translate(work));

    /// <summary>Reads records of one session, holding the file that the last one was in.</summary>
    private sealed class PageReader(PageFiles names, SessionKey key) : IDisposable
    {
        private readonly byte[] _header = new byte[RecordHeader.Bytes];
        private SafeFileHandle? _open;
        private int _file = -1;

        /// <summary>False when the record isn't there or isn't what was written.</summary>
        /// <param name="to">Of the record's length.</param>
        public bool Read(KvRecordId id, KvLocator locator, Memory<byte> to)
        {
            try
            {
                if (!Open(locator.File) || locator.Length != to.Length || locator.Offset < 0) return false;
                if (locator.Offset + RecordHeader.Bytes + locator.Length > RandomAccess.GetLength(_open!)) return false;
                var read = RandomAccess.Read(_open!, [_header, to], locator.Offset);
                return read == RecordHeader.Bytes + to.Length && RecordHeader.IsIntact(_header, SessionId.Of(key), id, locator, to.Span);
            }
            catch (IOException)
            {
                // A bad sector is as good as a record that is damaged.
                return false;
            }
        }

        public void Dispose() => _open?.Dispose();

        private bool Open(int file)
        {
            if (file == _file) return _open is not null;
            _open?.Dispose();
            (_open, _file) = (null, file);
            var path = names.PathOf(key, file);
            if (File.Exists(path)) _open = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return _open is not null;
        }
    }
}
