namespace LServe.Api;

/// <summary>Limits of the HTTP surface. Immutable; every limit is answered with a 4xx or 503 past it.</summary>
public sealed record ApiOptions
{
    /// <summary>Bytes: largest request body. Default 8 MiB; past it the answer is 413.</summary>
    public int MaxBodyBytes { get; init; } = 8 << 20;

    /// <summary>Bytes of an oversized body that are read and dropped, so that its sender gets the 413 instead of a reset. Default 64 MiB.</summary>
    public int MaxDrainedBytes { get; init; } = 64 << 20;

    /// <summary>Bytes: largest session that is imported, its pages included. Default 16 GiB; past it the answer is 413.</summary>
    public long MaxImportBytes { get; init; } = 16L << 30;

    /// <summary>Requests: most turns in progress or waiting at once. Default 512; past it the answer is 429.</summary>
    public int MaxConcurrentTurns { get; init; } = 512;

    /// <summary>Time: how long a stream may stay silent before a comment keeps its connection alive. Default 15 s.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Time: how long a stream waits for a reader that takes nothing before it gives up and frees the pages. Default 5 min.</summary>
    public TimeSpan ReaderPatience { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Time: how long a turn may go on without the reader whose connection broke, if it asks for that. Default 60 s.</summary>
    public TimeSpan MaxResumeWithin { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Bytes: most that a stream gathers before it is flushed, when deltas come faster than they are sent. Default 8 KiB.</summary>
    public int StreamBufferBytes { get; init; } = 8 << 10;

    /// <summary>Sessions: most that one page of <c>GET /v1/sessions</c> lists. Default 1,000.</summary>
    public int MaxListedSessions { get; init; } = 1_000;
}
