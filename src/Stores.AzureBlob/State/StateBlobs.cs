using System.Buffers.Binary;
using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using LServe.Contracts;
using LServe.Sessions;

namespace LServe.Stores.AzureBlob;

/// <summary>The requests about state blobs, and what is remembered of their answers.</summary>
internal sealed class StateBlobs(BlobContainerClient container, AzureBlobOptions options)
{
    private const int NotFound = 404, Conflict = 409, PreconditionFailed = 412;

    private readonly Remembered<SessionHead> _heads = new(options.MaxKnownSessions);

    /// <summary>Where the session stands as far as this process knows; null: not at all.</summary>
    public SessionHead? Known(SessionKey key) => _heads.TryGet(key, out var head) ? head : null;

    /// <summary>A name for a commit or a block that nobody else gives.</summary>
    public static long NewId() => BinaryPrimitives.ReadInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(long)));

    /// <summary>Reads a session; null if there is none, or no such turn. One request.</summary>
    /// <exception cref="SessionStoreException">It is damaged.</exception>
    public async Task<StateReading?> ReadAsync(SessionKey key, int? upTo, CancellationToken cancellation)
    {
        if (upTo is null) _heads.Forget(key);
        if (await DownloadAsync(key, cancellation) is not { } blob) return null;
        var read = StateReading.Of(key, blob.Content, blob.Details.Metadata, blob.Details.ETag, upTo, options.KeepTurns);
        if (upTo is null && read is not null) _heads.Set(key, read.Head);
        return read;
    }

    /// <summary>The commit that the session stands at; empty if there is none. One request.</summary>
    public async Task<string> CommitOfAsync(SessionKey key, CancellationToken cancellation)
    {
        try
        {
            var properties = await container.GetBlobClient(BlobNames.StateOf(key)).GetPropertiesAsync(cancellationToken: cancellation);
            return StateMetadata.CommitOf(properties.Value.Metadata) ?? "";
        }
        catch (RequestFailedException missing) when (IsMissing(missing))
        {
            return "";
        }
    }

    /// <summary>Brings a block there, of which nobody knows before it is named by a commit. One request.</summary>
    public async Task StageAsync(SessionKey key, StateEntry entry, byte[] bytes, CancellationToken cancellation)
    {
        using var content = new MemoryStream(bytes, writable: false);
        await BlobOf(key).StageBlockAsync(entry.BlockId, content, cancellationToken: cancellation);
    }

    /// <summary>Makes <paramref name="next"/> the session, if the blob is still what <paramref name="before"/> says; whether it is now. One request.</summary>
    /// <param name="before">Null: there must be no blob.</param>
    public async Task<bool> CommitAsync(SessionKey key, SessionHead? before, SessionHead next, CancellationToken cancellation)
    {
        var conditions = before is null ? new BlobRequestConditions { IfNoneMatch = ETag.All } : new BlobRequestConditions { IfMatch = before.ETag };
        try
        {
            var done = await BlobOf(key).CommitBlockListAsync(
                next.Blocks.Select(block => block.Id), new CommitBlockListOptions { Conditions = conditions, Metadata = next.Metadata }, cancellation);
            _heads.Set(key, next with { ETag = done.Value.ETag });
            return true;
        }
        catch (RequestFailedException refused) when (refused.Status is PreconditionFailed or Conflict || IsMissing(refused) || refused.ErrorCode == BlobErrorCode.InvalidBlockList)
        {
            // Blocks that were staged are dropped by somebody else's commit, so that a lost race may look like a bad list.
            _heads.Forget(key);
            return false;
        }
    }

    public async Task<bool> DeleteAsync(SessionKey key, CancellationToken cancellation)
    {
        _heads.Forget(key);
        return await BlobOf(key).DeleteIfExistsAsync(DeleteSnapshotsOption.IncludeSnapshots, cancellationToken: cancellation);
    }

    /// <summary>What lists say of the tenant's sessions, in no order; what can't be read is left out. One request for 5,000 of them.</summary>
    public async IAsyncEnumerable<SessionSummary> ListAsync(
        string tenant, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var all = container.GetBlobsAsync(new() { Prefix = BlobNames.StatesOf(tenant), Traits = BlobTraits.Metadata }, cancellation);
        await foreach (var blob in all)
            if (StateMetadata.SummaryOf(blob.Metadata) is { } summary && summary.Key.Tenant == tenant)
                yield return summary;
    }

    public static bool IsMissing(RequestFailedException problem) => problem.Status == NotFound && problem.ErrorCode != BlobErrorCode.ContainerNotFound;

    private BlockBlobClient BlobOf(SessionKey key) => container.GetBlockBlobClient(BlobNames.StateOf(key));

    private async Task<BlobDownload?> DownloadAsync(SessionKey key, CancellationToken cancellation)
    {
        try
        {
            var blob = await container.GetBlobClient(BlobNames.StateOf(key)).DownloadContentAsync(cancellation);
            return new(blob.Value.Content.ToMemory(), blob.Value.Details);
        }
        catch (RequestFailedException missing) when (IsMissing(missing))
        {
            return null;
        }
    }

    private sealed record BlobDownload(ReadOnlyMemory<byte> Content, BlobDownloadDetails Details);
}
