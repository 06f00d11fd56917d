using System.Numerics.Tensors;
using LServe.Model;

namespace LServe.Cli.Calibration;

/// <summary>
/// The quick start: a head's loss is the share of its attention that a streaming head would not see, at the rows that predict answers.
/// One pass per prompt in place of one per head, and a much poorer guide: heads may look far without use.
/// </summary>
internal static class AttentionMass
{
    /// <summary>Adds to <paramref name="losses"/> [layer][KV head] one of <paramref name="prompts"/> parts of the mean over answer rows and the group's heads.</summary>
    public static void Add(ModelConfig config, PromptTrace trace, CalibrationPrompt prompt, int sink, int local, int prompts, double[][] losses)
    {
        var samples = prompt.AnswerRows.Length * config.GroupSize * prompts;
        Parallel.For(0, config.Layers * config.KvHeads, place =>
        {
            var (layer, head) = Math.DivRem(place, config.KvHeads);
            foreach (var row in prompt.AnswerRows)
                for (var member = 0; member < config.GroupSize; member++)
                    losses[layer][head] += Unseen(config, trace.Qkv(layer), row, head, head * config.GroupSize + member, sink, local) / samples;
        });
    }

    private static double Unseen(ModelConfig config, ReadOnlySpan<float> qkv, int row, int head, int queryHead, int sink, int local)
    {
        var dim = config.HeadDim;
        var query = qkv.Slice(row * config.QkvSize + queryHead * dim, dim);
        Span<float> weights = new float[row + 1];
        for (var token = 0; token <= row; token++)
            weights[token] = TensorPrimitives.Dot(query, qkv.Slice(token * config.QkvSize + (config.QueryHeads + head) * dim, dim)) / MathF.Sqrt(dim);
        TensorPrimitives.SoftMax(weights, weights);
        var recent = Math.Max(0, row - local + 1);
        return recent > sink ? TensorPrimitives.Sum<float>(weights[sink..recent]) : 0;
    }
}
