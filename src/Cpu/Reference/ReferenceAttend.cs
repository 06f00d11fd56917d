using LServe.Inference;

namespace LServe.Cpu;

/// <summary>Causal attention of one row: softmax(q · kᵀ / sqrt(D)) · v over positions 0 … its own, head by head.</summary>
internal static class ReferenceAttend
{
    [ThreadStatic] private static double[]? _scores;

    public static void Row(AttentionLayer layer, ReferenceKv kv, TwoWayPageTable pages, int position, ReadOnlySpan<float> qkv, Span<float> output)
    {
        var (config, dim) = (layer.Config, layer.Config.HeadDim);
        if (_scores is null || _scores.Length <= position) _scores = new double[position + 256];
        var scores = _scores.AsSpan(0, position + 1);
        for (var head = 0; head < config.QueryHeads; head++)
        {
            var kvHead = head / config.GroupSize;
            Score(layer.Index, kv, pages, kvHead, qkv.Slice(head * dim, dim), scores);
            Softmax(scores);
            Mix(layer.Index, kv, pages, kvHead, scores, output.Slice(head * dim, dim));
        }
    }

    private static void Score(int layer, ReferenceKv kv, TwoWayPageTable pages, int kvHead, ReadOnlySpan<float> query, Span<double> scores)
    {
        var scale = 1 / Math.Sqrt(query.Length);
        for (var token = 0; token < scores.Length; token++)
        {
            var key = kv.Key(layer, kvHead, pages, token);
            var dot = 0.0;
            for (var i = 0; i < query.Length; i++) dot += (double)query[i] * key[i];
            scores[token] = dot * scale;
        }
    }

    private static void Softmax(Span<double> scores)
    {
        var max = double.NegativeInfinity;
        foreach (var score in scores) max = Math.Max(max, score);
        var sum = 0.0;
        foreach (ref var score in scores) sum += score = Math.Exp(score - max);
        foreach (ref var score in scores) score /= sum;
    }

    private static void Mix(int layer, ReferenceKv kv, TwoWayPageTable pages, int kvHead, ReadOnlySpan<double> weights, Span<float> output)
    {
        Span<double> sums = stackalloc double[output.Length];
        sums.Clear();
        for (var token = 0; token < weights.Length; token++)
        {
            var value = kv.Value(layer, kvHead, pages, token);
            for (var i = 0; i < output.Length; i++) sums[i] += weights[token] * value[i];
        }
        for (var i = 0; i < output.Length; i++) output[i] = (float)sums[i];
    }
}
