using System.Runtime.InteropServices;

namespace LServe.Cpu;

/// <summary>Floats for each thread to work in. Grows to the largest request and then stays; contents are undefined.</summary>
internal sealed unsafe class ThreadScratch(int threads) : IDisposable
{
    private readonly nint[] _memory = new nint[threads];
    private long _floats;

    /// <summary>Makes room for <paramref name="floats"/> per thread; called while no work runs.</summary>
    public void Reserve(long floats)
    {
        if (floats <= _floats) return;
        Free();
        for (var i = 0; i < _memory.Length; i++) _memory[i] = (nint)NativeMemory.AlignedAlloc((nuint)floats * sizeof(float), 64);
        _floats = floats;
    }

    public float* Of(int thread) => (float*)_memory[thread];

    private void Free()
    {
        foreach (ref var memory in _memory.AsSpan())
        {
            NativeMemory.AlignedFree((void*)memory);
            memory = 0;
        }
        _floats = 0;
    }

    public void Dispose() => Free();
}
