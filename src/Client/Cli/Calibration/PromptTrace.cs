using LServe.Cpu;
using LServe.Model;

namespace LServe.Cli.Calibration;

/// <summary>What a dense pass over one prompt had at every layer's attention; R rows.</summary>
internal sealed class PromptTrace(ModelConfig config, int rows)
{
    private readonly float[][] _hidden = Room(config.Layers, rows * config.HiddenSize);
    private readonly float[][] _qkv = Room(config.Layers, rows * config.QkvSize);
    private readonly float[][] _attended = Room(config.Layers, rows * config.QueryHeads * config.HeadDim);

    public int Rows => rows;

    /// <summary>[R, (H + 2G)·D] queries and keys after RoPE, values.</summary>
    public ReadOnlySpan<float> Qkv(int layer) => _qkv[layer];

    public void Record(int layer, HostBuffer hidden, HostBuffer qkv, HostBuffer attended)
    {
        Read(hidden, _hidden[layer]);
        Read(qkv, _qkv[layer]);
        Read(attended, _attended[layer]);
    }

    /// <summary>Gives back the residual stream and the attention's output of a layer, so that a pass can go on from there.</summary>
    public void Restore(int layer, HostBuffer hidden, HostBuffer attended)
    {
        Write(_hidden[layer], hidden);
        Write(_attended[layer], attended);
    }

    private void Read(HostBuffer from, float[] to)
    {
        for (var row = 0; row < rows; row++) from.Values(row).CopyTo(to.AsSpan(row * from.Columns));
    }

    private void Write(float[] from, HostBuffer to)
    {
        for (var row = 0; row < rows; row++) from.AsSpan(row * to.Columns, to.Columns).CopyTo(to.Values(row));
    }

    private static float[][] Room(int layers, int floats) => [.. Enumerable.Range(0, layers).Select(_ => new float[floats])];
}
