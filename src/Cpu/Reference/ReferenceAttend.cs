using LServe.Inference;

namespace LServe.Cpu;

/// <summary>Attention of one row: softmax(q · kᵀ / sqrt(D)) · v over the tokens it sees, head by head, keys and values as the cache gives them back.</summary>
internal static class ReferenceAttend
{
    public static void Row(AttentionLayer layer, ReferenceKv kv, in StepSlice slice, int position, Func<int, int[]?> chosen, ReadOnlySpan<float> qkv, Span<float> output)
    {
        var (config, dim) = (layer.Config, layer.Config.HeadDim);
        for (var kvHead = 0; kvHead < config.KvHeads; kvHead++)
        {
            var keys = new ReferenceHead(kv, layer.Index, kvHead, slice);
            var tokens = ReferenceSight.Tokens(slice, keys.Place, kv.Geometry.LServe, chosen(kvHead), position);
            for (var head = kvHead * config.GroupSize; head < (kvHead + 1) * config.GroupSize; head++)
            {
                var weights = keys.Scores(kv.Query(qkv.Slice(head * dim, dim)), tokens, sketchBits: null);
                ReferenceSoftmax.InPlace(weights);
                keys.Mix(weights, tokens, output.Slice(head * dim, dim));
            }
        }
    }
}
