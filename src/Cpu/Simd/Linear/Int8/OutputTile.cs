using System.Runtime.Intrinsics;

namespace LServe.Cpu;

/// <summary>Where up to a tile of neighbouring outputs goes.</summary>
/// <param name="y">The first output of row 0.</param>
/// <param name="stride">Floats between rows.</param>
/// <param name="outputs">1 or more.</param>
/// <param name="bias">One per output, or null.</param>
/// <param name="add">Whether results are added to what is there.</param>
internal readonly unsafe struct OutputTile(float* y, long stride, int outputs, float* bias, bool add)
{
    private readonly float* _y = y, _bias = bias;
    private readonly long _stride = stride;
    private readonly int _outputs = outputs;
    private readonly bool _add = add;

    public OutputTile From(int output, int outputs) => new(_y + output, _stride, outputs, _bias == null ? null : _bias + output, _add);

    /// <summary>Four outputs of the first row, or what is left of them.</summary>
    public Target Four(int row, int output) =>
        new(_y + row * _stride + output, _stride, Math.Min(4, _outputs - output), _bias == null ? null : _bias + output, _add);

    /// <param name="sums">[rows, <paramref name="width"/>]; a row has room for a multiple of four.</param>
    public void Write(int row, int rows, float* sums, int width)
    {
        for (var i = 0; i < rows; i++, sums += width)
            for (var output = 0; output < _outputs; output += 4)
                Four(row + i, output).Write(0, Vector128.Load(sums + output));
    }
}
