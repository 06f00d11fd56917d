namespace LServe.Inference;

/// <summary>Which of the two page pools (LServe, arXiv 2502.14866, section 3.2).</summary>
public enum KvPool
{
    /// <summary>Heads that keep all of their pages.</summary>
    Retrieval,

    /// <summary>Heads that keep their sink and their local window.</summary>
    Streaming,
}

/// <summary>
/// The KV pages of a backend. A page is <see cref="PageTokens"/> tokens of all heads of its pool, in all layers.
/// </summary>
/// <param name="Pages">Pages of the retrieval pool.</param>
public sealed record KvGeometry(int Layers, int KvHeads, int HeadDim, KvPrecision Precision, int Pages)
{
    /// <summary>Tokens of a physical page, the unit of memory (LServe, section 3.3).</summary>
    public const int PageTokens = 64;

    /// <summary>Tokens of a logical page, the unit of statistics (LServe, section 3.5).</summary>
    public const int LogicalTokens = 16;

    /// <summary>Which heads stream. Default: none, so that the streaming pool is empty.</summary>
    public HeadLayout Heads { get; init; } = HeadLayout.AllRetrieval(Layers, KvHeads);

    /// <summary>Pages of the streaming pool.</summary>
    public int StreamingPages { get; init; }

    /// <summary>What sequences with sparse attention do; null: there are none.</summary>
    public LServeOptions? LServe { get; init; }

    /// <summary>[layer, KV head, channel] constants that quantised keys are centred by; null: zeros.</summary>
    public float[]? Centres { get; init; }

    /// <summary>Channels of keys and values are stored in blocks of so many, the last one filled up. Default 1.</summary>
    public int ChannelBlock { get; init; } = 1;

    /// <summary>Query heads that share a KV head. Default 1.</summary>
    public int GroupSize { get; init; } = 1;

    public int BytesPerElement => Precision == KvPrecision.F32 ? 4 : 2;

    /// <summary>Bytes of the statistics of one head's page: two numbers of 16 bits per logical page and channel.</summary>
    public int StatisticsBytes =>
        LServe is null || LServe.Statistics == PageStatistics.None ? 0 : PageTokens / LogicalTokens * 2 * HeadDim * sizeof(ushort);

    /// <summary>Bytes of one head's page.</summary>
    public long HeadPageBytes(KvPool pool)
    {
        var channels = (HeadDim + ChannelBlock - 1) / ChannelBlock * ChannelBlock;
        var perToken = channels * (Precision.KeyBits() + Precision.ValueBits()) / 8 + (Precision.IsQuantised() ? 4 * sizeof(ushort) : 0);
        return (long)PageTokens * perToken + (pool == KvPool.Retrieval ? StatisticsBytes : 0);
    }

    /// <summary>Heads of the pool, over all layers.</summary>
    public int HeadsOf(KvPool pool) => pool == KvPool.Retrieval ? Heads.RetrievalHeads : Heads.StreamingHeads;

    /// <summary>Bytes of one page of a pool, over all layers and heads of its kind.</summary>
    public long PageBytesOf(KvPool pool) => HeadsOf(pool) * HeadPageBytes(pool);

    /// <summary>Bytes of one page of the retrieval pool, keys, values and statistics.</summary>
    public long PageBytes => PageBytesOf(KvPool.Retrieval);

    public int PagesOf(KvPool pool) => pool == KvPool.Retrieval ? Pages : StreamingPages;

    public long TotalBytes => PageBytes * Pages + PageBytesOf(KvPool.Streaming) * StreamingPages;

    /// <summary>Pages that hold <paramref name="tokens"/> tokens.</summary>
    public static int PagesFor(int tokens) => (tokens + PageTokens - 1) / PageTokens;

    /// <summary>Most pages of the streaming pool that a sequence with sparse attention keeps between steps.</summary>
    public int WindowPages => LServe is null ? 0 : PagesFor(LServe.Sink) + PagesFor(LServe.Local) + 2;
}
