using LServe.Inference;

namespace LServe.Cpu;

/// <summary>
/// Where things are in one head's page (docs/KV_LAYOUT.md), in bytes. 16- and 32-bit pages: keys channel by channel, values token by token.
/// Quantised ones: a high plane of key codes with the keys' scales behind it, which is all that a sketch reads; a low plane; values with theirs.
/// </summary>
internal readonly record struct KvPageLayout
{
    private const int Tokens = KvGeometry.PageTokens;

    /// <summary>Bytes of one channel of a plane of 4-bit codes: byte j has token j in its low half and token j + 32 in its high half.</summary>
    public const int PlaneRow = Tokens / 2;

    public KvPageLayout(KvGeometry geometry)
    {
        var (dim, keyBits, valueBits) = (geometry.HeadDim, geometry.Precision.KeyBits(), geometry.Precision.ValueBits());
        if (geometry.Precision.IsQuantised())
        {
            KeyScales = dim * PlaneRow;
            SketchBytes = KeyScales + 2 * Tokens * sizeof(ushort);
            KeyLowPlane = SketchBytes;
            Values = KeyLowPlane + (keyBits == 8 ? dim * PlaneRow : 0);
            ValueRow = dim * valueBits / 8;
            ValueScales = Values + Tokens * ValueRow;
            Statistics = ValueScales + 2 * Tokens * sizeof(ushort);
        }
        else
        {
            ValueRow = dim * geometry.BytesPerElement;
            Values = Tokens * ValueRow;
            SketchBytes = Values;
            Statistics = 2 * Values;
        }
        Bytes = Statistics;
    }

    /// <summary>Keys and values, without the statistics.</summary>
    public int Bytes { get; }

    /// <summary>What a page's sketch reads, from its beginning.</summary>
    public int SketchBytes { get; }

    /// <summary>All of the keys, from the page's beginning.</summary>
    public int KeyBytes => Values;

    public int ValueBytes => Bytes - Values;

    /// <summary>[64] scales, then [64] low ends, binary16.</summary>
    public int KeyScales { get; }
    public int KeyLowPlane { get; }
    public int Values { get; }

    /// <summary>Bytes from one token's values to the next.</summary>
    public int ValueRow { get; }

    /// <summary>[64] scales, then [64] low ends, binary16.</summary>
    public int ValueScales { get; }

    /// <summary>[2][D][4 logical pages] binary16: maximum and minimum, or mean and deviation.</summary>
    public int Statistics { get; }

    /// <summary>The page of one head of a pool, piece by piece, in the order in which they lie.</summary>
    public PageStrip[] StripsOf(KvGeometry geometry, KvPool pool)
    {
        var (dim, scales) = (geometry.HeadDim, new PageStrip(2, Tokens, sizeof(ushort)));
        var values = new PageStrip(1, Tokens, ValueRow);
        List<PageStrip> strips = geometry.Precision.IsQuantised()
            ? [PageStrip.OfNibbles(dim), scales, .. geometry.Precision.KeyBits() == 8 ? [PageStrip.OfNibbles(dim)] : Array.Empty<PageStrip>(), values, scales]
            : [new(dim, Tokens, geometry.BytesPerElement), values];
        if (pool == KvPool.Retrieval && geometry.StatisticsBytes > 0) strips.Add(new(2 * dim, Tokens / KvGeometry.LogicalTokens, sizeof(ushort)));
        return [.. strips];
    }
}
