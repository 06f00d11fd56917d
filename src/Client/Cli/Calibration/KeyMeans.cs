using LServe.Model;

namespace LServe.Cli.Calibration;

/// <summary>The mean of every KV head's keys after RoPE, over all prompts: what quantised keys are centred by.</summary>
internal sealed class KeyMeans(ModelConfig config)
{
    private readonly double[] _sums = new double[config.Layers * config.KvHeads * config.HeadDim];
    private long _rows;

    public void Add(PromptTrace trace)
    {
        var width = config.KvHeads * config.HeadDim;
        for (var layer = 0; layer < config.Layers; layer++)
            for (var row = 0; row < trace.Rows; row++)
            {
                var keys = trace.Qkv(layer).Slice(row * config.QkvSize + config.QueryHeads * config.HeadDim, width);
                for (var i = 0; i < width; i++) _sums[layer * width + i] += keys[i];
            }
        _rows += trace.Rows;
    }

    /// <summary>[layer, KV head, D].</summary>
    public float[] Means() => [.. _sums.Select(sum => (float)(sum / _rows))];
}
