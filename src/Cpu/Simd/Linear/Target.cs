using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LServe.Cpu;

/// <summary>Where a kernel writes up to four neighbouring outputs of consecutive rows, and what it adds to them.</summary>
/// <param name="y">First row's first output.</param>
/// <param name="stride">Floats between rows.</param>
/// <param name="outputs">1 … 4.</param>
/// <param name="bias">One per output, or null.</param>
/// <param name="add">Whether results are added to what is there.</param>
internal readonly unsafe struct Target(float* y, long stride, int outputs, float* bias, bool add)
{
    private readonly float* _y = y, _bias = bias;
    private readonly long _stride = stride;
    private readonly int _outputs = outputs;
    private readonly bool _add = add;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(int row, Vector128<float> sums)
    {
        var y = _y + row * _stride;
        if (_outputs == 4)
        {
            if (_bias != null) sums += Vector128.Load(_bias);
            if (_add) sums += Vector128.Load(y);
            sums.Store(y);
            return;
        }
        WriteSome(y, sums);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void WriteSome(float* y, Vector128<float> sums)
    {
        for (var i = 0; i < _outputs; i++)
        {
            var sum = sums.GetElement(i);
            if (_bias != null) sum += _bias[i];
            y[i] = _add ? y[i] + sum : sum;
        }
    }
}
