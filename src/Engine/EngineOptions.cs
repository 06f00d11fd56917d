using LServe.Model;

namespace LServe.Inference;

/// <summary>Limits and sizes of one engine. Every queue and table of the engine is bounded by one of these.</summary>
public sealed record EngineOptions
{
    /// <summary>Tokens: longest sequence. 0 (default): the model's own context length.</summary>
    public int ContextLength { get; init; }

    /// <summary>Tokens: room of the KV page pool for all sequences together. 0 (default): four contexts.</summary>
    public int KvTokens { get; init; }

    /// <summary>How keys and values are kept. Default f16.</summary>
    public KvPrecision KvPrecision { get; init; } = KvPrecision.F16;

    /// <summary>What sequences with sparse attention do. Null (default): all sequences are dense.</summary>
    public LServeOptions? LServe { get; init; }

    /// <summary>Which heads stream, and what quantised keys are centred by. Null (default): none, and zeros.</summary>
    public HeadPattern? Pattern { get; init; }

    /// <summary>Sequences: most that share a step. Default 64.</summary>
    public int MaxBatch { get; init; } = 64;

    /// <summary>Rows: most prompt tokens of a step when nobody decodes. Default 512.</summary>
    public int PrefillRows { get; init; } = 512;

    /// <summary>Rows: most prompt tokens of a step beside decoding sequences; bounds their inter-token latency. Default 64.</summary>
    public int PrefillRowsBesideDecode { get; init; } = 64;

    /// <summary>Generations: most that wait for a place in a step; past it the answer is "overloaded". Default 256.</summary>
    public int MaxWaiting { get; init; } = 256;

    /// <summary>Events: most that a generation holds for its reader; a full channel pauses that sequence and no other. Default 256.</summary>
    public int EventBuffer { get; init; } = 256;
}
