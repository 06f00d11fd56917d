using LServe.Inference;
using LServe.Model;

namespace LServe.Cpu;

/// <summary>Cosine and sine of every row's rotations in a step, computed in float64 once for all layers.</summary>
internal sealed unsafe class RopeTable : IDisposable
{
    private readonly ThreadScratch _memory = new(1);
    private bool _ready;
    private int _pairs;

    public void Reset() => _ready = false;

    /// <summary>[pairs] cosines of a row, then as many sines.</summary>
    public float* Row(int row) => _memory.Of(0) + (long)row * 2 * _pairs;

    public void Prepare(ReadOnlySpan<int> positions, RopeParameters rope)
    {
        if (_ready) return;
        _pairs = rope.InverseFrequencies.Length;
        _memory.Reserve(2L * _pairs * positions.Length);
        for (var row = 0; row < positions.Length; row++)
        {
            var to = Row(row);
            for (var i = 0; i < _pairs; i++)
            {
                var (sin, cos) = Math.SinCos(positions[row] * rope.InverseFrequencies[i]);
                to[i] = (float)(cos * rope.Magnitude);
                to[_pairs + i] = (float)(sin * rope.Magnitude);
            }
        }
        _ready = true;
    }

    public void Dispose() => _memory.Dispose();
}
