using Azure.Storage.Blobs;
using LServe.Sessions;

namespace LServe.Stores.AzureBlob;

/// <summary>
/// Sessions in a container of Azure Storage, for several processes at once: of those that go on with the same session one commits, and
/// the others are told.
/// </summary>
/// <remarks>
/// <code>
/// sessions/TENANT/SESSION   state: a block blob, a block per turn; its metadata has what a list says
/// notes/TENANT/SESSION      how far the answer in progress is
/// pages/TENANT/SESSION-N    records of the KV cache: append blobs, N growing with every compaction
/// </code>
/// TENANT and SESSION are hashes: names may have any characters, blobs' may not.
/// </remarks>
public sealed class AzureBlobStore
{
    private AzureBlobStore(BlobContainerClient container, AzureBlobOptions options)
    {
        var failures = new AzureFailures(container.Uri.Host, container.Name);
        Sessions = new BlobSessionStore(container, options, failures);
        Pages = new BlobKvPageStore(container, options, failures);
        Place = $"container {container.Name} at {container.Uri.Host}";
    }

    public ISessionStore Sessions { get; }
    public IKvPageStore Pages { get; }

    /// <summary>Which container it is, for people; has no secrets.</summary>
    public string Place { get; }

    /// <exception cref="SessionStoreException">The connection can't be read, the service not be reached, or the container not be used; the message says what to do.</exception>
    public static async Task<AzureBlobStore> OpenAsync(AzureBlobOptions options, CancellationToken cancellation = default)
    {
        var (container, isSigned) = ClientFor(options);
        var failures = new AzureFailures(container.Uri.Host, container.Name);
        await failures.RunAsync(async () =>
        {
            // A signature of the container allows to use it, not to make it.
            if (isSigned) await LookAtAsync(container, cancellation);
            else await container.CreateIfNotExistsAsync(cancellationToken: cancellation);
        });
        return new(container, options);
    }

    private static async Task LookAtAsync(BlobContainerClient container, CancellationToken cancellation)
    {
        await foreach (var _ in container.GetBlobsAsync(new() { Prefix = BlobNames.Sessions }, cancellation).AsPages(pageSizeHint: 1))
            return;
    }

    private static (BlobContainerClient Client, bool IsSigned) ClientFor(AzureBlobOptions options)
    {
        try
        {
            return Uri.TryCreate(options.Connection, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
                ? (new(url, options.ToClientOptions()), true)
                : (new(options.Connection, options.Container, options.ToClientOptions()), false);
        }
        catch (Exception problem) when (problem is FormatException or ArgumentException)
        {
            throw new SessionStoreException(
                StoreFailure.Unavailable,
                "the connection of the blob store is neither a connection string (AccountName=…;AccountKey=…, or UseDevelopmentStorage=true) nor a container's URL with a shared access signature.",
                problem);
        }
    }
}
