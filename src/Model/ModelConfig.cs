namespace LServe.Model;

/// <summary>The geometry of a decoder of the Llama family, the same for every file format it came from.</summary>
public sealed record ModelConfig
{
    public required string Name { get; init; }

    /// <summary><c>llama</c>, <c>mistral</c>, <c>qwen2</c> or <c>qwen3</c>.</summary>
    public required string Architecture { get; init; }
    public required int Layers { get; init; }
    public required int HiddenSize { get; init; }
    public required int FeedForwardSize { get; init; }
    public required int QueryHeads { get; init; }
    public required int KvHeads { get; init; }

    /// <summary>Channels of a head; not always <see cref="HiddenSize"/> / <see cref="QueryHeads"/>.</summary>
    public required int HeadDim { get; init; }
    public required int VocabularySize { get; init; }

    /// <summary>Tokens the model was made for.</summary>
    public required int ContextLength { get; init; }
    public required float RmsEpsilon { get; init; }
    public required RopeParameters Rope { get; init; }

    /// <summary>Query heads that share a KV head.</summary>
    public int GroupSize => QueryHeads / KvHeads;

    /// <summary>Columns of the fused projection: queries, then keys, then values.</summary>
    public int QkvSize => (QueryHeads + 2 * KvHeads) * HeadDim;
}

/// <summary>Which channels of a head are rotated together.</summary>
public enum RopeStyle
{
    /// <summary>Channels 2i and 2i+1, as GGUF permutes Llama's weights.</summary>
    Interleaved,

    /// <summary>Channels i and i + D/2, as Hugging Face stores them and GGUF keeps Qwen's.</summary>
    Halves,
}

/// <summary>
/// Rotary position embedding with every scaling (linear, llama3, YaRN) already worked into the frequencies:
/// pair i of a head turns by position · <see cref="InverseFrequencies"/>[i].
/// </summary>
/// <param name="InverseFrequencies">[HeadDim / 2] radians per token.</param>
/// <param name="Magnitude">What cosine and sine are multiplied by: YaRN's attention factor, else 1.</param>
public sealed record RopeParameters(RopeStyle Style, double[] InverseFrequencies, float Magnitude = 1);
