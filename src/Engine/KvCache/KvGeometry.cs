namespace LServe.Inference;

/// <summary>How keys and values are stored.</summary>
public enum KvPrecision
{
    /// <summary>As computed; for references and tests.</summary>
    F32,

    /// <summary>Rounded to nearest even, clamped to ±65504.</summary>
    F16,
}

/// <summary>The KV pages of a backend: <paramref name="Pages"/> pages of <see cref="PageTokens"/> tokens in every layer and KV head.</summary>
public sealed record KvGeometry(int Layers, int KvHeads, int HeadDim, KvPrecision Precision, int Pages)
{
    /// <summary>Tokens of a physical page, the unit of memory (LServe, arXiv 2502.14866, section 3.3).</summary>
    public const int PageTokens = 64;

    public int BytesPerElement => Precision == KvPrecision.F32 ? 4 : 2;

    /// <summary>Bytes of one page over all layers, keys and values.</summary>
    public long PageBytes => 2L * Layers * KvHeads * HeadDim * PageTokens * BytesPerElement;

    public long TotalBytes => PageBytes * Pages;

    /// <summary>Pages that hold <paramref name="tokens"/> tokens.</summary>
    public static int PagesFor(int tokens) => (tokens + PageTokens - 1) / PageTokens;
}
