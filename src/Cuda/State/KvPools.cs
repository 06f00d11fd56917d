using LServe.Cuda.Driver;
using LServe.Inference;

namespace LServe.Cuda.State;

/// <summary>Where one layer's pages are in the two pools.</summary>
/// <param name="Retrieval">Its heads' part of page 0 of the retrieval pool; the next page's is <paramref name="RetrievalStride"/> bytes on.</param>
/// <param name="FirstRetrieval">Place of its first retrieval head, counted over all layers.</param>
/// <param name="Heads">[KV heads] on the device: those that retrieve, then those that stream.</param>
/// <param name="Centres">[KV heads, D] on the device.</param>
internal readonly record struct LayerPages(
    ulong Retrieval, ulong Streaming, ulong RetrievalStride, ulong StreamingStride, int RetrievalHeads, int StreamingHeads, int FirstRetrieval, ulong Heads, ulong Centres);

/// <summary>
/// Both page pools, layer after layer, so that a step's reads of a layer stay close together: page p of a layer holds its heads of the pool's
/// kind side by side. On the host a page is these parts one after the other.
/// </summary>
internal sealed class KvPools : IDisposable
{
    private readonly KvGeometry _geometry;
    private readonly DeviceMemory[] _pools;
    private readonly DeviceMemory _heads, _centres;
    private readonly LayerPages[] _layers;
    private readonly CudaStream _stream = CudaStream.Create();
    private readonly PinnedMemory _staging;

    public KvPools(KvGeometry geometry)
    {
        _geometry = geometry;
        _pools = [.. Enum.GetValues<KvPool>().Select(pool => DeviceMemory.Allocate(geometry.PageBytesOf(pool) * geometry.PagesOf(pool)))];
        _heads = Uploaded<int>([.. Enumerable.Range(0, geometry.Layers).SelectMany(HeadsInOrder)]);
        _centres = Uploaded<float>(geometry.Centres ?? new float[geometry.Layers * geometry.KvHeads * geometry.HeadDim]);
        _staging = PinnedMemory.Allocate(Math.Max(geometry.PageBytesOf(KvPool.Retrieval), geometry.PageBytesOf(KvPool.Streaming)));
        _layers = new LayerPages[geometry.Layers];
        var before = new int[2];
        for (var layer = 0; layer < _layers.Length; layer++)
        {
            _layers[layer] = Layout(layer, before);
            before[0] += _layers[layer].RetrievalHeads;
            before[1] += _layers[layer].StreamingHeads;
        }
    }

    public LayerPages this[int layer] => _layers[layer];

    public DeviceMemory Memory(KvPool pool) => _pools[(int)pool];

    /// <summary>In the order of <paramref name="stream"/>.</summary>
    public void Copy(KvPool pool, int from, int to, CudaStream stream)
    {
        foreach (var layer in _layers)
        {
            var (start, stride) = Part(layer, pool);
            if (stride > 0) stream.Copy(start + (ulong)to * stride, start + (ulong)from * stride, (long)stride);
        }
    }

    /// <summary>Waits until the page is there.</summary>
    public void Read(KvPool pool, int page, Span<byte> to)
    {
        long at = 0;
        foreach (var layer in _layers)
        {
            var (offset, bytes) = OffsetOf(layer, pool, page);
            if (bytes > 0) _stream.Download(_staging, at, _pools[(int)pool], offset, bytes);
            at += bytes;
        }
        _stream.Synchronize();
        _staging.Span<byte>((int)at).CopyTo(to);
    }

    /// <summary>Waits until the page has arrived.</summary>
    public void Write(KvPool pool, int page, ReadOnlySpan<byte> from)
    {
        from[..(int)_geometry.PageBytesOf(pool)].CopyTo(_staging.Span<byte>((int)_staging.Bytes));
        long at = 0;
        foreach (var layer in _layers)
        {
            var (offset, bytes) = OffsetOf(layer, pool, page);
            if (bytes > 0) _stream.Upload(_pools[(int)pool], offset, _staging, at, bytes);
            at += bytes;
        }
        _stream.Synchronize();
    }

    private LayerPages Layout(int layer, int[] before)
    {
        var streaming = HeadsInOrder(layer).Count(head => _geometry.Heads[layer, head].Streams);
        var retrieval = _geometry.KvHeads - streaming;
        ulong Start(KvPool pool) => _pools[(int)pool].Address + (ulong)(before[(int)pool] * _geometry.HeadPageBytes(pool) * _geometry.PagesOf(pool));
        return new(
            Start(KvPool.Retrieval), Start(KvPool.Streaming),
            (ulong)(retrieval * _geometry.HeadPageBytes(KvPool.Retrieval)), (ulong)(streaming * _geometry.HeadPageBytes(KvPool.Streaming)),
            retrieval, streaming, before[0], _heads.Address + (ulong)(layer * _geometry.KvHeads * sizeof(int)),
            _centres.Address + (ulong)((long)layer * _geometry.KvHeads * _geometry.HeadDim * sizeof(float)));
    }

    private IEnumerable<int> HeadsInOrder(int layer) => Enumerable.Range(0, _geometry.KvHeads).OrderBy(head => _geometry.Heads[layer, head].Streams);

    private static (ulong Start, ulong Stride) Part(in LayerPages layer, KvPool pool) =>
        pool == KvPool.Retrieval ? (layer.Retrieval, layer.RetrievalStride) : (layer.Streaming, layer.StreamingStride);

    private (long Offset, long Bytes) OffsetOf(in LayerPages layer, KvPool pool, int page)
    {
        var (start, stride) = Part(layer, pool);
        return ((long)(start - _pools[(int)pool].Address + (ulong)page * stride), (long)stride);
    }

    private static DeviceMemory Uploaded<T>(T[] values) where T : unmanaged
    {
        var memory = DeviceMemory.Allocate((long)values.Length * System.Runtime.CompilerServices.Unsafe.SizeOf<T>());
        memory.Upload<T>(values);
        return memory;
    }

    public void Dispose()
    {
        foreach (var pool in _pools) pool.Dispose();
        _heads.Dispose();
        _centres.Dispose();
        _staging.Dispose();
        _stream.Dispose();
    }
}
