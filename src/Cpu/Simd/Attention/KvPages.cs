using LServe.Inference;

namespace LServe.Cpu;

/// <summary>
/// The memory of both page pools: [page, head of the pool], each head's page as <see cref="KvPageLayout"/> says. A page of a pool lies in one
/// piece, so that copying or saving one is one move. Memory of pages that were never written is only reserved.
/// </summary>
internal sealed unsafe class KvPages : IDisposable
{
    private readonly byte*[] _data = new byte*[2];
    private readonly long[] _headBytes = new long[2], _pageBytes = new long[2];
    private readonly PageForm[] _forms = new PageForm[2];

    public KvPages(KvGeometry geometry)
    {
        (Geometry, Layout) = (geometry, new(geometry));
        foreach (var pool in Enum.GetValues<KvPool>())
        {
            _headBytes[(int)pool] = geometry.HeadPageBytes(pool);
            _pageBytes[(int)pool] = geometry.PageBytesOf(pool);
            _forms[(int)pool] = new(geometry.HeadsOf(pool), Layout.StripsOf(geometry, pool));
            if (_forms[(int)pool].Bytes != _pageBytes[(int)pool]) throw new InvalidOperationException("A page's pieces are not the page.");
            _data[(int)pool] = LargePages.Allocate(checked((nuint)(_pageBytes[(int)pool] * geometry.PagesOf(pool))));
        }
    }

    public KvGeometry Geometry { get; }
    public KvPageLayout Layout { get; }

    /// <summary>What a head keeps for page <paramref name="index"/> of a sequence.</summary>
    public byte* Head(TwoWayPageTable pages, HeadPlace place, int index) =>
        Head(place, place.Streams ? pages.Streaming(index) : pages.Retrieval[index]);

    public byte* Head(HeadPlace place, int page)
    {
        var pool = place.Pool;
        if ((uint)page >= (uint)Geometry.PagesOf(pool)) throw new ArgumentOutOfRangeException(nameof(page), page, $"The {pool} pool has {Geometry.PagesOf(pool)} pages.");
        return _data[(int)pool] + page * _pageBytes[(int)pool] + place.Place * _headBytes[(int)pool];
    }

    public Span<byte> Page(KvPool pool, int page)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)page, (uint)Geometry.PagesOf(pool), nameof(page));
        return new(_data[(int)pool] + page * _pageBytes[(int)pool], checked((int)_pageBytes[(int)pool]));
    }

    public PageForm FormOf(KvPool pool) => _forms[(int)pool];

    public Memory<byte> MemoryOf(KvPool pool, int page)
    {
        fixed (byte* data = Page(pool, page)) return new PageMemory(data, checked((int)_pageBytes[(int)pool])).Memory;
    }

    public void Copy(KvPool pool, int from, int to) => Page(pool, from).CopyTo(Page(pool, to));

    /// <summary>Overwrites every byte of every page; 0xFF makes 16- and 32-bit numbers NaN.</summary>
    public void Fill(byte value)
    {
        foreach (var pool in Enum.GetValues<KvPool>())
            for (var page = 0; page < Geometry.PagesOf(pool); page++) Page(pool, page).Fill(value);
    }

    public void Dispose()
    {
        foreach (var data in _data) LargePages.Free(data);
    }
}
