using LServe.Inference;
using LServe.Model;

namespace LServe.Cpu;

/// <summary>
/// Per-head norm (Qwen 3), rotary embedding (Su et al., arXiv 2104.09864) of queries and keys, then keys and values into the cache.
/// Rotated queries and keys go back to their place.
/// </summary>
internal static class ReferenceRopeAppend
{
    public static void Row(AttentionLayer layer, ReferenceKv kv, TwoWayPageTable pages, int position, Span<float> qkv)
    {
        var config = layer.Config;
        var dim = config.HeadDim;
        var keys = qkv[(config.QueryHeads * dim)..];
        var values = keys[(config.KvHeads * dim)..];
        for (var head = 0; head < config.QueryHeads; head++) Prepare(layer.QueryNorm, config, position, qkv.Slice(head * dim, dim));
        for (var head = 0; head < config.KvHeads; head++)
        {
            Prepare(layer.KeyNorm, config, position, keys.Slice(head * dim, dim));
            kv.Write(layer.Index, head, pages, position, keys.Slice(head * dim, dim), values.Slice(head * dim, dim));
        }
    }

    /// <summary>Adds the key of a sparse sequence's token to the statistics of a retrieval head. Tokens come in their order.</summary>
    public static void Statistics(AttentionLayer layer, ReferenceKv kv, in StepSlice slice, int head, int position, ReadOnlySpan<float> qkv)
    {
        var (config, kind, place) = (layer.Config, kv.Geometry.LServe!.Statistics, kv.Geometry.Heads[layer.Index, head]);
        if (place.Streams || kind == PageStatistics.None) return;
        var open = slice.Selection!.Open(place.Place);
        ReferenceStatistics.Append(kind, position, qkv.Slice((config.QueryHeads + head) * config.HeadDim, config.HeadDim), open);
        if ((position + 1) % KvGeometry.LogicalTokens != 0) return;
        var page = kv.Page(layer.Index, head, slice.Pages, position / KvGeometry.PageTokens);
        ReferenceStatistics.Close(kind, open, page.Statistics(position % KvGeometry.PageTokens / KvGeometry.LogicalTokens));
    }

    private static void Prepare(IDeviceWeight? norm, ModelConfig config, int position, Span<float> head)
    {
        if (norm is not null) ReferenceRmsNorm.Row(head, ((HostVector)norm).Values, config.RmsEpsilon, head);
        Rotate(config.Rope, position, head);
    }

    private static void Rotate(RopeParameters rope, int position, Span<float> head)
    {
        var pairs = head.Length / 2;
        for (var i = 0; i < pairs; i++)
        {
            var (sin, cos) = Math.SinCos(position * rope.InverseFrequencies[i]);
            var (first, second) = rope.Style == RopeStyle.Interleaved ? (2 * i, 2 * i + 1) : (i, i + pairs);
            double a = head[first], b = head[second];
            head[first] = (float)((a * cos - b * sin) * rope.Magnitude);
            head[second] = (float)((a * sin + b * cos) * rope.Magnitude);
        }
    }
}
