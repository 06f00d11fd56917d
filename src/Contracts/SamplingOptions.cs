namespace LServe.Contracts;

/// <summary>How the tokens of one turn are drawn. Defaults are OpenAI's where that API has the option.</summary>
public sealed record SamplingOptions
{
    /// <summary>Largest number of stop strings of one turn.</summary>
    public const int MaxStopStrings = 16;

    /// <summary>Characters of the longest stop string.</summary>
    public const int MaxStopLength = 1024;

    /// <summary>Entries of <see cref="LogitBias"/>.</summary>
    public const int MaxLogitBiases = 1024;

    /// <summary>Largest number of alternatives returned with each token.</summary>
    public const int MaxTopLogprobs = 20;

    /// <summary>0 … 2; 0 is greedy. Default 1.</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>0 … vocabulary size: keep the k most likely tokens; 0 (default) keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>(0, 1]: keep the smallest set of tokens with this much probability. Default 1.</summary>
    public float TopP { get; init; } = 1;

    /// <summary>[0, 1): drop tokens less likely than this share of the most likely one. Default 0.</summary>
    public float MinP { get; init; }

    /// <summary>(0, 10]: divide (multiply, if negative) the logits of tokens already in the context. Default 1, off.</summary>
    public float RepetitionPenalty { get; init; } = 1;

    /// <summary>−2 … 2: taken from the logits of tokens already generated in this turn. Default 0.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>−2 … 2: taken from a logit once for each time its token was generated in this turn. Default 0.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Token id → number added to its logit, −100 … 100. At most <see cref="MaxLogitBiases"/>.</summary>
    public IReadOnlyDictionary<int, float>? LogitBias { get; init; }

    /// <summary>Seed of the turn's random draws; null draws one.</summary>
    public long? Seed { get; init; }

    /// <summary>Texts that end the answer; not part of it. At most <see cref="MaxStopStrings"/> of at most <see cref="MaxStopLength"/> characters.</summary>
    public IReadOnlyList<string>? Stop { get; init; }

    /// <summary>Most tokens to generate; null: as many as the context window leaves.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Whether each delta carries the log probabilities of its tokens.</summary>
    public bool Logprobs { get; init; }

    /// <summary>Alternatives per token, 0 … <see cref="MaxTopLogprobs"/>; needs <see cref="Logprobs"/>.</summary>
    public int TopLogprobs { get; init; }

    /// <summary>Whether the end token is ignored, so that a turn always generates <see cref="MaxTokens"/> tokens (benchmarks).</summary>
    public bool IgnoreEnd { get; init; }
}
