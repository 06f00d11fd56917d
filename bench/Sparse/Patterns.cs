using LServe.Model;

namespace LServe.Bench.Sparse;

/// <summary>Which heads stream in a measurement.</summary>
internal static class Patterns
{
    /// <summary>The model's own pattern, or every second head by number: speed depends on how many stream, hardly on which.</summary>
    public static HeadPattern Of(SparseOptions options, ModelConfig config) =>
        options.Pattern is { } folder ? HeadPatternFolder.Open(folder, config) : Alternating(config.Layers, config.KvHeads);

    public static HeadPattern Alternating(int layers, int heads) => new()
    {
        Gates = [.. Enumerable.Range(0, layers).Select(layer => Enumerable.Range(0, heads).Select(head => (float)((layer * heads + head) % 2)).ToArray())],
    };
}
