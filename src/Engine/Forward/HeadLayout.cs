using LServe.Model;

namespace LServe.Inference;

/// <summary>Where a KV head's pages are.</summary>
/// <param name="Streams">In the streaming pool, else in the retrieval pool.</param>
/// <param name="Place">Its place among the heads of its kind, counted over all layers: they lie side by side in a page.</param>
public readonly record struct HeadPlace(bool Streams, int Place)
{
    public KvPool Pool => Streams ? KvPool.Streaming : KvPool.Retrieval;
}

/// <summary>Which KV heads stream and which retrieve. Counts are uneven from layer to layer; a layer may have no head of one kind.</summary>
public sealed class HeadLayout
{
    private readonly HeadPlace[][] _places;

    /// <param name="streams">[layer][KV head].</param>
    public HeadLayout(IReadOnlyList<bool[]> streams)
    {
        _places = new HeadPlace[streams.Count][];
        for (var layer = 0; layer < streams.Count; layer++)
            _places[layer] = [.. streams[layer].Select(s => new HeadPlace(s, s ? StreamingHeads++ : RetrievalHeads++))];
    }

    public static HeadLayout AllRetrieval(int layers, int kvHeads) => new([.. Enumerable.Range(0, layers).Select(_ => new bool[kvHeads])]);

    /// <summary>The pattern's heads of least gate stream (LServe, section 3.2; DuoAttention, arXiv 2410.10819).</summary>
    public static HeadLayout Of(HeadPattern pattern) => new(pattern.Streams());

    public int RetrievalHeads { get; private set; }
    public int StreamingHeads { get; private set; }

    /// <summary>Whether there is a streaming pool at all.</summary>
    public bool AnyStreams => StreamingHeads > 0;

    public HeadPlace this[int layer, int head] => _places[layer][head];

    public ReadOnlySpan<HeadPlace> Layer(int layer) => _places[layer];
}
