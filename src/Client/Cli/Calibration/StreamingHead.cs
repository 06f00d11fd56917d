using System.Numerics.Tensors;
using LServe.Cpu;
using LServe.Model;

namespace LServe.Cli.Calibration;

/// <summary>Attention of one KV head's group that sees <c>sink</c> first and <c>local</c> last tokens, from a recorded dense pass.</summary>
internal sealed class StreamingHead(ModelConfig config, int layer, int head, int sink, int local)
{
    private readonly int _dim = config.HeadDim;

    public int Layer => layer;

    /// <summary>Writes the group's columns of the output [R, H·D].</summary>
    public void Attend(PromptTrace trace, HostBuffer output)
    {
        var keys = Columns(trace, config.QueryHeads + head);
        var values = Columns(trace, config.QueryHeads + config.KvHeads + head);
        for (var member = 0; member < config.GroupSize; member++)
        {
            var column = head * config.GroupSize + member;
            var queries = Columns(trace, column);
            Parallel.For(0, trace.Rows, row => Row(queries.AsSpan(row * _dim, _dim), keys, values, row, output.Values(row).Slice(column * _dim, _dim)));
        }
    }

    private void Row(ReadOnlySpan<float> query, float[] keys, float[] values, int row, Span<float> output)
    {
        var recent = Math.Max(0, row - local + 1);
        var first = Math.Min(sink, recent);
        Span<float> weights = new float[first + row + 1 - recent];
        for (var i = 0; i < weights.Length; i++)
            weights[i] = TensorPrimitives.Dot(query, keys.AsSpan(Token(i) * _dim, _dim)) / MathF.Sqrt(_dim);
        TensorPrimitives.SoftMax(weights, weights);
        output.Clear();
        for (var i = 0; i < weights.Length; i++) TensorPrimitives.MultiplyAdd(values.AsSpan(Token(i) * _dim, _dim), weights[i], output, output);

        int Token(int index) => index < first ? index : recent + index - first;
    }

    /// <summary>[R, D] of one of the H + 2G heads that lie side by side.</summary>
    private float[] Columns(PromptTrace trace, int index)
    {
        var qkv = trace.Qkv(layer);
        var columns = new float[trace.Rows * _dim];
        for (var row = 0; row < trace.Rows; row++) qkv.Slice(row * config.QkvSize + index * _dim, _dim).CopyTo(columns.AsSpan(row * _dim));
        return columns;
    }
}
