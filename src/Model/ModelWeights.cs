namespace LServe.Model;

/// <summary>The tensors of a decoder. <see cref="Output"/> is <see cref="Embedding"/> itself when they are tied.</summary>
public sealed record ModelWeights(Tensor Embedding, IReadOnlyList<LayerWeights> Layers, Tensor OutputNorm, Tensor Output);

/// <summary>
/// The tensors of one layer. Matrices are [outputs, inputs]. Biases (Qwen 2) and the per-head norms of queries and keys (Qwen 3)
/// are null where the architecture has none.
/// </summary>
public sealed record LayerWeights
{
    public required Tensor AttentionNorm { get; init; }
    public required Tensor Query { get; init; }
    public required Tensor Key { get; init; }
    public required Tensor Value { get; init; }
    public required Tensor AttentionOutput { get; init; }
    public required Tensor FeedForwardNorm { get; init; }
    public required Tensor Gate { get; init; }
    public required Tensor Up { get; init; }
    public required Tensor Down { get; init; }
    public Tensor? QueryBias { get; init; }
    public Tensor? KeyBias { get; init; }
    public Tensor? ValueBias { get; init; }
    public Tensor? QueryNorm { get; init; }
    public Tensor? KeyNorm { get; init; }
}
