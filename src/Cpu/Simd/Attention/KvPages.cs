using System.Runtime.InteropServices;
using LServe.Inference;

namespace LServe.Cpu;

/// <summary>
/// The KV pages: [page, layer, KV head], each a plane of keys [channel, 64 tokens] and one of values [64 tokens, channel].
/// Keys lie channel by channel, so that a query channel times a vector of tokens needs no sum across lanes; a page lies in one piece, so that
/// copying or saving one is one move. Memory of pages that were never written is only reserved.
/// </summary>
internal sealed unsafe class KvPages : IDisposable
{
    private readonly byte* _data;
    private readonly long _planeBytes, _headBytes, _layerBytes;

    public KvPages(KvGeometry geometry)
    {
        Geometry = geometry;
        _planeBytes = (long)geometry.HeadDim * KvGeometry.PageTokens * geometry.BytesPerElement;
        _headBytes = 2 * _planeBytes;
        _layerBytes = _headBytes * geometry.KvHeads;
        _data = (byte*)NativeMemory.AlignedAlloc(checked((nuint)geometry.TotalBytes), 64);
    }

    public KvGeometry Geometry { get; }

    public byte* Keys(int page, int layer, int head)
    {
        if ((uint)page >= (uint)Geometry.Pages) throw new ArgumentOutOfRangeException(nameof(page), page, $"The pool has {Geometry.Pages} pages.");
        return _data + page * Geometry.PageBytes + layer * _layerBytes + head * _headBytes;
    }

    public byte* Values(int page, int layer, int head) => Keys(page, layer, head) + _planeBytes;

    /// <summary>Writes one token's key and value.</summary>
    public void Write(int page, int slot, int layer, int head, float* key, float* value)
    {
        var (keys, values) = ((nint)Keys(page, layer, head), (nint)Values(page, layer, head));
        var dim = Geometry.HeadDim;
        if (Geometry.Precision == KvPrecision.F32)
        {
            for (var i = 0; i < dim; i++) ((float*)keys)[i * KvGeometry.PageTokens + slot] = key[i];
            for (var i = 0; i < dim; i++) ((float*)values)[slot * dim + i] = value[i];
        }
        else
        {
            for (var i = 0; i < dim; i++) ((ushort*)keys)[i * KvGeometry.PageTokens + slot] = HalfBits.FromSingle(key[i]);
            for (var i = 0; i < dim; i++) ((ushort*)values)[slot * dim + i] = HalfBits.FromSingle(value[i]);
        }
    }

    public Span<byte> Page(KvPool pool, int page) => new(Keys(page, 0, 0), checked((int)Geometry.PageBytesOf(pool)));

    public void Copy(KvPool pool, int from, int to) => Page(pool, from).CopyTo(Page(pool, to));

    /// <summary>Overwrites every byte of every page; 0xFF makes them NaN.</summary>
    public void Fill(byte value)
    {
        for (var page = 0; page < Geometry.Pages; page++) NativeMemory.Fill(Keys(page, 0, 0), (nuint)Geometry.PageBytes, value);
    }

    public void Dispose() => NativeMemory.AlignedFree(_data);
}
