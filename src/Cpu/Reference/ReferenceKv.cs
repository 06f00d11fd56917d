using System.Runtime.InteropServices;
using LServe.Inference;

namespace LServe.Cpu;

/// <summary>
/// The two page pools [page, head of the pool over all layers, <see cref="ReferencePage"/>]. Quantised keys and values are read in the
/// rotated basis, keys less their centre. Memory of untouched pages is reserved only.
/// </summary>
internal sealed unsafe class ReferenceKv : IDisposable
{
    private readonly byte*[] _pools = new byte*[2];
    private readonly int[] _headBytes = new int[2], _pageBytes = new int[2];

    public ReferenceKv(KvGeometry geometry)
    {
        Geometry = geometry;
        foreach (var pool in Enum.GetValues<KvPool>())
        {
            _headBytes[(int)pool] = checked((int)geometry.HeadPageBytes(pool));
            _pageBytes[(int)pool] = checked((int)geometry.PageBytesOf(pool));
            _pools[(int)pool] = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(1, geometry.PageBytesOf(pool) * geometry.PagesOf(pool)), 64);
        }
    }

    public KvGeometry Geometry { get; }

    /// <summary>Whether what is read is in the rotated basis.</summary>
    public bool Rotated => Geometry.Precision.IsQuantised();

    /// <summary>Head <paramref name="head"/>'s part of page <paramref name="index"/> of a sequence.</summary>
    public ReferencePage Page(int layer, int head, TwoWayPageTable pages, int index)
    {
        var place = Geometry.Heads[layer, head];
        var bytes = _headBytes[(int)place.Pool];
        var page = place.Streams ? pages.Streaming(index) : pages.Retrieval[index];
        return new(Geometry.Precision, Geometry.HeadDim, Page(place.Pool, page).Slice(place.Place * bytes, bytes));
    }

    public void Write(int layer, int head, TwoWayPageTable pages, int token, ReadOnlySpan<float> key, ReadOnlySpan<float> value)
    {
        var page = Page(layer, head, pages, token / KvGeometry.PageTokens);
        var slot = token % KvGeometry.PageTokens;
        Span<double> vector = stackalloc double[key.Length];
        for (var i = 0; i < vector.Length; i++) vector[i] = key[i] - (Rotated ? Centre(layer, head, i) : 0);
        if (Rotated) ReferenceRotation.InPlace(vector);
        ReferenceNumbers.Write(vector, Geometry.Precision.KeyBits(), page.Key(slot), Rotated ? page.KeyScale(slot) : default);
        for (var i = 0; i < vector.Length; i++) vector[i] = value[i];
        if (Rotated) ReferenceRotation.InPlace(vector);
        ReferenceNumbers.Write(vector, Geometry.Precision.ValueBits(), page.Value(slot), Rotated ? page.ValueScale(slot) : default);
    }

    /// <param name="sketchBits">High bits of the key's codes to look at; null: all.</param>
    public void Key(int layer, int head, TwoWayPageTable pages, int token, int? sketchBits, Span<double> to)
    {
        var page = Page(layer, head, pages, token / KvGeometry.PageTokens);
        var (slot, bits) = (token % KvGeometry.PageTokens, Geometry.Precision.KeyBits());
        ReferenceNumbers.Read(page.Key(slot), Rotated ? page.KeyScale(slot) : default, bits, sketchBits ?? bits, to);
    }

    public void Value(int layer, int head, TwoWayPageTable pages, int token, Span<double> to)
    {
        var page = Page(layer, head, pages, token / KvGeometry.PageTokens);
        var (slot, bits) = (token % KvGeometry.PageTokens, Geometry.Precision.ValueBits());
        ReferenceNumbers.Read(page.Value(slot), Rotated ? page.ValueScale(slot) : default, bits, bits, to);
    }

    /// <summary>A query in the basis of the keys.</summary>
    public double[] Query(ReadOnlySpan<float> query)
    {
        var turned = Widen(query);
        if (Rotated) ReferenceRotation.InPlace(turned);
        return turned;
    }

    public static double[] Widen(ReadOnlySpan<float> vector)
    {
        var wide = new double[vector.Length];
        for (var i = 0; i < wide.Length; i++) wide[i] = vector[i];
        return wide;
    }

    /// <summary>A page of a pool, all layers.</summary>
    public Span<byte> Page(KvPool pool, int page)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)page, (uint)Geometry.PagesOf(pool), nameof(page));
        return new(_pools[(int)pool] + (long)page * _pageBytes[(int)pool], _pageBytes[(int)pool]);
    }

    public void Copy(KvPool pool, int from, int to) => Page(pool, from).CopyTo(Page(pool, to));

    private double Centre(int layer, int head, int channel) =>
        Geometry.Centres is null ? 0 : Geometry.Centres[(layer * Geometry.KvHeads + head) * Geometry.HeadDim + channel];

    public void Dispose()
    {
        foreach (var pool in Enum.GetValues<KvPool>())
        {
            NativeMemory.AlignedFree(_pools[(int)pool]);
            _pools[(int)pool] = null;
        }
    }
}
