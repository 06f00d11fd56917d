using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace LServe.Cpu;

/// <summary>
/// Memory to be asked for while something else is computed: so many lines with each step that all of it is there at the end, and nothing
/// beyond it. What follows in the pool belongs to another head, and would cost as much time as what is needed.
/// </summary>
internal unsafe struct Ahead
{
    private byte* _at;
    private readonly byte* _end;
    private readonly bool _pairs;

    /// <param name="steps">How often <see cref="Next"/> is going to be called.</param>
    public Ahead(byte* from, int bytes, int steps)
    {
        _at = from;
        _end = from + bytes;
        _pairs = bytes > (long)steps * Prefetch.Line;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Next()
    {
        if (_at >= _end || !Sse.IsSupported) return;
        Sse.Prefetch0(_at);
        if (_pairs) Sse.Prefetch0(_at + Prefetch.Line);
        _at += _pairs ? 2 * Prefetch.Line : Prefetch.Line;
    }

    /// <summary>All at once.</summary>
    public void Rest()
    {
        while (Sse.IsSupported && _at < _end) Next();
    }
}
