namespace LServe.Cuda.Launch;

/// <summary>How keys and values lie in their pages; see docs/KV_LAYOUT.md.</summary>
internal enum KvFormat
{
    /// <summary>binary16, clamped to ±65504.</summary>
    F16,

    /// <summary>8-bit codes.</summary>
    Int8,

    /// <summary>8-bit codes of keys, 4-bit codes of values.</summary>
    K8V4,

    /// <summary>4-bit codes.</summary>
    Int4,
}

/// <summary>The bytes of one page of one KV head. Twin of <c>KvPage</c> in kernels/include/lserve/attention/kv_page.cuh.</summary>
internal readonly record struct KvPageLayout(int HeadDim, KvFormat Format)
{
    public const int PageTokens = 64, LogicalTokens = 16, LogicalPages = PageTokens / LogicalTokens;
    private const int ScaleBytes = 4 * PageTokens;

    public int KeyBits => Format switch { KvFormat.F16 => 16, KvFormat.Int4 => 4, _ => 8 };
    public int ValueBits => Format switch { KvFormat.F16 => 16, KvFormat.Int8 => 8, _ => 4 };

    /// <summary>Channels stored: D rounded up to a multiple of 64.</summary>
    public int Channels => (HeadDim + 63) / 64 * 64;

    /// <summary>A page of a streaming head.</summary>
    public int StreamingBytes => Half(KeyBits) + Half(ValueBits);

    /// <summary>A page of a retrieval head: the same, and the statistics of its logical pages.</summary>
    public int RetrievalBytes => StreamingBytes + 2 * LogicalPages * HeadDim * 2;

    public string[] Defines => [$"HEAD_DIM={HeadDim}", $"KEY_BITS={KeyBits}", $"VALUE_BITS={ValueBits}"];

    private int Half(int bits) => PageTokens * Channels * bits / 8 + (bits < 16 ? ScaleBytes : 0);
}
