using Azure.Core;
using Azure.Core.Pipeline;

namespace LServe.Stores.AzureBlob;

/// <summary>Which container sessions are kept in, and the limits of what is asked of it.</summary>
public sealed record AzureBlobOptions
{
    public const string DefaultContainer = "lserve";
    public const int DefaultKeepTurns = 8;

    /// <summary>The account's connection string, or the container's URL with a shared access signature. Never shown in messages.</summary>
    public required string Connection { get; init; }

    /// <summary>Made if it isn't there; a container's URL names its own. Default <c>lserve</c>.</summary>
    public string Container { get; init; } = DefaultContainer;

    /// <summary>Turns: the last ones of each session whose pages stay, so that they can be forked and rewound at once. Default 8.</summary>
    public int KeepTurns { get; init; } = DefaultKeepTurns;

    /// <summary>Time for one try of a request. Default 20 s.</summary>
    public TimeSpan NetworkTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Tries: most beyond the first, of requests that failed on the way or that the service was too busy for. Default 4.</summary>
    public int MaxRetries { get; init; } = 4;

    /// <summary>Time before the first of these; it doubles from one to the next. Default 0.2 s.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Time before a further try, at most. Default 5 s.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Sessions: most of which it is remembered where they stand; of others a save reads that first. Default 4,096.</summary>
    public int MaxKnownSessions { get; init; } = 4_096;

    /// <summary>Bytes of pages that one request writes, at most. Default 4 MiB.</summary>
    public int WriteBytes { get; init; } = 4 << 20;

    /// <summary>Bytes of pages that one request reads, at most, but for a longer record. Default 4 MiB.</summary>
    public int ReadBytes { get; init; } = 4 << 20;

    /// <summary>Requests: most that read pages at once. Default 8.</summary>
    public int MaxReads { get; init; } = 8;

    /// <summary>Sees every request, retries included. For tests.</summary>
    internal HttpPipelinePolicy? Observer { get; init; }

    internal Azure.Storage.Blobs.BlobClientOptions ToClientOptions()
    {
        var client = new Azure.Storage.Blobs.BlobClientOptions();
        client.Retry.Mode = RetryMode.Exponential;
        client.Retry.MaxRetries = MaxRetries;
        client.Retry.Delay = RetryDelay;
        client.Retry.MaxDelay = MaxRetryDelay;
        client.Retry.NetworkTimeout = NetworkTimeout;
        client.Diagnostics.IsDistributedTracingEnabled = false;
        client.Diagnostics.IsLoggingEnabled = false;
        if (Observer is not null) client.AddPolicy(Observer, HttpPipelinePosition.PerRetry);
        return client;
    }
}
