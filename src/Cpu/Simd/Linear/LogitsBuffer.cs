using System.Runtime.InteropServices;

namespace LServe.Cpu;

/// <summary>The logits of a step, and the normed rows they are made of. Grows to the most rows a step asked for.</summary>
internal sealed unsafe class LogitsBuffer : IDisposable
{
    private HostBuffer? _normed;
    private int _vocabulary;
    private long _room;

    public float* Values { get; private set; }
    public long NormedStride => _normed!.Stride;

    public float* Normed(int row) => _normed!.Row(row);

    public void Reserve(int rows, int channels, int vocabulary)
    {
        _vocabulary = vocabulary;
        if (rows == 0) return;
        if (_normed is null || _normed.Rows < rows || _normed.Columns != channels)
        {
            _normed?.Dispose();
            _normed = new HostBuffer(rows, channels);
        }
        var needed = (long)rows * vocabulary;
        if (needed <= _room) return;
        NativeMemory.AlignedFree(Values);
        Values = (float*)NativeMemory.AlignedAlloc((nuint)needed * sizeof(float), 64);
        _room = needed;
    }

    public ReadOnlySpan<float> First(int rows) => new(Values, checked(rows * _vocabulary));

    public void Dispose()
    {
        _normed?.Dispose();
        NativeMemory.AlignedFree(Values);
        Values = null;
    }
}
