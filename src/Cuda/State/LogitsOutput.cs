using LServe.Cuda.Driver;

namespace LServe.Cuda.State;

/// <summary>Where a step's logits come to: normed rows and products on the device, and the copy the host reads.</summary>
internal sealed class LogitsOutput : IDisposable
{
    private const int LeastRows = 64;

    private DeviceMemory? _normed, _values;
    private PinnedMemory? _host;
    private int _rows, _columns, _vocabulary;

    /// <summary>Changes whenever addresses do: graphs captured before are void.</summary>
    public int Generation { get; private set; }

    /// <summary>[rows, C] binary16.</summary>
    public ulong Normed => _normed!.Address;

    /// <summary>[rows, V] float32.</summary>
    public ulong Values => _values!.Address;

    public void Reserve(int rows, int columns, int vocabulary)
    {
        if (rows <= _rows && columns == _columns && vocabulary == _vocabulary) return;
        Dispose();
        (_rows, _columns, _vocabulary) = (Math.Max(LeastRows, rows), columns, vocabulary);
        _normed = DeviceMemory.Allocate((long)_rows * columns * 2);
        _values = DeviceMemory.Allocate((long)_rows * vocabulary * sizeof(float));
        _host = PinnedMemory.Allocate((long)_rows * vocabulary * sizeof(float));
        Generation++;
    }

    /// <summary>Copies the first rows to the host, in the stream's order.</summary>
    public void Download(int rows, CudaStream stream)
    {
        if (rows > 0) stream.Download(_host!, 0, _values!, 0, (long)rows * _vocabulary * sizeof(float));
    }

    public ReadOnlySpan<float> Host(int rows) => rows == 0 ? [] : _host!.Span<float>(checked(rows * _vocabulary));

    public void Dispose()
    {
        _normed?.Dispose();
        _values?.Dispose();
        _host?.Dispose();
    }
}
