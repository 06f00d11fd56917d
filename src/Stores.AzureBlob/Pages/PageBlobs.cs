using System.Globalization;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using LServe.Contracts;
using LServe.Sessions;

namespace LServe.Stores.AzureBlob;

/// <summary>The append blobs that sessions' records are in, and what is remembered of them.</summary>
internal sealed class PageBlobs(BlobContainerClient container, AzureBlobOptions options)
{
    private const int NotFound = 404, Conflict = 409, PreconditionFailed = 412;

    /// <summary>Tries to write what must be in one piece while somebody else adds to the same file.</summary>
    private const int MaxAttempts = 5;

    /// <summary>Blocks after which a new file is begun. Azure allows 50,000.</summary>
    private const int MaxBlocks = 49_000;

    private readonly Remembered<PageFile> _files = new(options.MaxKnownSessions);

    /// <param name="Number">The session's last file.</param>
    /// <param name="Bytes">All of its files.</param>
    private sealed record PageFile(int Number, long Bytes);

    /// <summary>Adds bytes in one piece to the session's last file. One request, if they are few and the file is known.</summary>
    /// <returns>Where they begin.</returns>
    public async Task<(int File, long Offset)> AppendAsync(SessionKey key, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var file = await LastAsync(key, cancellation) ?? await CreateAsync(key, 0, bytesBefore: 0, cancellation);
            if (await TryAppendAsync(key, file.Number, bytes, cancellation) is not var (offset, blocks))
            {
                _files.Forget(key);
                continue;
            }
            _files.Set(key, file with { Bytes = file.Bytes + bytes.Length });
            if (blocks >= MaxBlocks) await CreateAsync(key, file.Number + 1, file.Bytes + bytes.Length, cancellation);
            return (file.Number, offset);
        }
        throw new SessionStoreException(StoreFailure.Unavailable, $"The pages of session {key} are being written by others over and over.");
    }

    /// <summary>Begins a further file, which is the session's last from now on.</summary>
    public async Task BeginAsync(SessionKey key, CancellationToken cancellation)
    {
        var last = await LastAsync(key, cancellation);
        await CreateAsync(key, (last?.Number ?? -1) + 1, last?.Bytes ?? 0, cancellation);
    }

    public async Task<long> SizeAsync(SessionKey key, CancellationToken cancellation) => (await LastAsync(key, cancellation))?.Bytes ?? 0;

    /// <summary>Drops the files before one; false if there were none.</summary>
    public async Task<bool> DeleteAsync(SessionKey key, int before, CancellationToken cancellation)
    {
        _files.Forget(key);
        var any = false;
        foreach (var (file, _) in await ListAsync(key, cancellation))
            if (file < before)
                any |= await container.DeleteBlobIfExistsAsync(BlobNames.PageFileOf(key, file), cancellationToken: cancellation);
        return any;
    }

    public BlobClient ClientOf(SessionKey key, int file) => container.GetBlobClient(BlobNames.PageFileOf(key, file));

    private AppendBlobClient AppenderOf(SessionKey key, int file) => container.GetAppendBlobClient(BlobNames.PageFileOf(key, file));

    private async Task<PageFile?> LastAsync(SessionKey key, CancellationToken cancellation)
    {
        if (_files.TryGet(key, out var known)) return known;
        var all = await ListAsync(key, cancellation);
        if (all.Count == 0) return null;
        var last = new PageFile(all.Max(file => file.Number), all.Sum(file => file.Bytes));
        _files.Set(key, last);
        return last;
    }

    private async Task<List<(int Number, long Bytes)>> ListAsync(SessionKey key, CancellationToken cancellation)
    {
        var files = new List<(int, long)>();
        await foreach (var blob in container.GetBlobsAsync(new() { Prefix = BlobNames.PagesOf(key) }, cancellation))
            if (BlobNames.FileOf(key, blob.Name) is { } number)
                files.Add((number, blob.Properties.ContentLength ?? 0));
        return files;
    }

    private async Task<PageFile> CreateAsync(SessionKey key, int file, long bytesBefore, CancellationToken cancellation)
    {
        try
        {
            await AppenderOf(key, file).CreateAsync(new AppendBlobCreateOptions { Conditions = new() { IfNoneMatch = ETag.All } }, cancellation);
        }
        catch (RequestFailedException exists) when (exists.ErrorCode == BlobErrorCode.BlobAlreadyExists || exists.Status == PreconditionFailed)
        {
            // Somebody else began it, or this request was sent twice: either way it is there.
        }
        var made = new PageFile(file, bytesBefore);
        _files.Set(key, made);
        return made;
    }

    /// <summary>Where the bytes begin, and the file's blocks; null when the file is gone or full, or somebody wrote in between.</summary>
    private async Task<(long Offset, int Blocks)?> TryAppendAsync(SessionKey key, int file, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        var (blob, begin, blocks) = (AppenderOf(key, file), -1L, 0);
        try
        {
            for (var at = 0; at < bytes.Length; at += options.WriteBytes)
            {
                var piece = bytes.Slice(at, Math.Min(options.WriteBytes, bytes.Length - at));
                // The first piece goes wherever the file ends; the others must follow it.
                var conditions = begin < 0 ? null : new AppendBlobRequestConditions { IfAppendPositionEqual = begin + at };
                using var content = new MemoryStream(piece.ToArray(), writable: false);
                var added = await blob.AppendBlockAsync(content, new AppendBlobAppendBlockOptions { Conditions = conditions }, cancellation);
                if (begin < 0) begin = long.Parse(added.Value.BlobAppendOffset, CultureInfo.InvariantCulture);
                blocks = added.Value.BlobCommittedBlockCount;
            }
            return (begin, blocks);
        }
        catch (RequestFailedException refused) when (refused.Status == PreconditionFailed || (refused.Status == NotFound && refused.ErrorCode != BlobErrorCode.ContainerNotFound))
        {
            return null;
        }
        catch (RequestFailedException full) when (full.Status == Conflict && full.ErrorCode == BlobErrorCode.BlockCountExceedsLimit)
        {
            await CreateAsync(key, file + 1, bytesBefore: 0, cancellation);
            return null;
        }
    }
}
