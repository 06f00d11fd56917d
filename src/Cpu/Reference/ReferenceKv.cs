using System.Runtime.InteropServices;
using LServe.Inference;

namespace LServe.Cpu;

/// <summary>
/// KV pages [page, layer, KV head, keys then values, token, channel], kept as float32 after rounding to the precision asked for.
/// Memory of untouched pages is reserved only.
/// </summary>
internal sealed unsafe class ReferenceKv : IDisposable
{
    private readonly KvGeometry _geometry;
    private readonly long _planeFloats, _pageFloats;
    private float* _data;

    public ReferenceKv(KvGeometry geometry)
    {
        _geometry = geometry;
        _planeFloats = (long)KvGeometry.PageTokens * geometry.HeadDim;
        _pageFloats = 2 * _planeFloats * geometry.KvHeads * geometry.Layers;
        _data = (float*)NativeMemory.AlignedAlloc((nuint)(_pageFloats * geometry.Pages) * sizeof(float), 64);
    }

    public ReadOnlySpan<float> Key(int layer, int head, TwoWayPageTable pages, int token) => Slot(layer, head, pages, token, plane: 0);

    public ReadOnlySpan<float> Value(int layer, int head, TwoWayPageTable pages, int token) => Slot(layer, head, pages, token, plane: 1);

    public void Write(int layer, int head, TwoWayPageTable pages, int token, ReadOnlySpan<float> key, ReadOnlySpan<float> value)
    {
        Round(key, Slot(layer, head, pages, token, plane: 0));
        Round(value, Slot(layer, head, pages, token, plane: 1));
    }

    public Span<byte> Page(KvPool pool, int page) => new(Page(page), checked((int)(_pageFloats * sizeof(float))));

    public void Copy(KvPool pool, int from, int to) => Page(pool, from).CopyTo(Page(pool, to));

    private Span<float> Slot(int layer, int head, TwoWayPageTable pages, int token, int plane)
    {
        var (page, slot) = Math.DivRem(token, KvGeometry.PageTokens);
        var at = (((long)layer * _geometry.KvHeads + head) * 2 + plane) * _planeFloats + (long)slot * _geometry.HeadDim;
        return new Span<float>(Page(pages.Retrieval[page]) + at, _geometry.HeadDim);
    }

    private float* Page(int page)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)page, (uint)_geometry.Pages, nameof(page));
        return _data + page * _pageFloats;
    }

    private void Round(ReadOnlySpan<float> from, Span<float> to)
    {
        for (var i = 0; i < from.Length; i++)
            to[i] = _geometry.Precision == KvPrecision.F32 ? from[i] : (float)(Half)Math.Clamp(from[i], -65504f, 65504f);
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_data);
        _data = null;
    }
}
