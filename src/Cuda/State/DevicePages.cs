using LServe.Cuda.Driver;
using LServe.Inference;

namespace LServe.Cuda.State;

/// <summary>
/// All KV pages, layer after layer, so that a step's reads of a layer stay close together. A page of a layer holds, head after head,
/// keys [64, D] and values [64, D] in binary16 (<c>DensePages</c> in params.h).
/// </summary>
internal sealed class DevicePages : IDisposable
{
    private readonly DeviceMemory _memory;
    private readonly long _pageBytes, _layerBytes;

    /// <exception cref="NotSupportedException">Another precision than f16.</exception>
    public DevicePages(KvGeometry geometry)
    {
        if (geometry.Precision != KvPrecision.F16)
            throw new NotSupportedException($"The GPU backend keeps keys and values as f16, not {geometry.Precision}. Choose f16, or --backend cpu.");
        Geometry = geometry;
        _pageBytes = geometry.PageBytes / geometry.Layers;
        _layerBytes = _pageBytes * geometry.Pages;
        _memory = DeviceMemory.Allocate(geometry.TotalBytes);
    }

    public KvGeometry Geometry { get; }

    public ulong Layer(int layer) => _memory.Address + (ulong)(layer * _layerBytes);

    public void Copy(int from, int to, CudaStream stream)
    {
        for (var layer = 0; layer < Geometry.Layers; layer++)
            stream.Copy(Layer(layer) + (ulong)(to * _pageBytes), Layer(layer) + (ulong)(from * _pageBytes), _pageBytes);
    }

    public void Dispose() => _memory.Dispose();
}
