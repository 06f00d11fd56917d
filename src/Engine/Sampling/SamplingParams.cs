namespace LServe.Inference;

/// <summary>How one generation draws its tokens. Values are checked by the caller; see SamplingOptions of the contracts for ranges.</summary>
public sealed record SamplingParams
{
    public static SamplingParams Greedy { get; } = new() { Temperature = 0 };

    /// <summary>0: greedy.</summary>
    public float Temperature { get; init; } = 1;
    public int TopK { get; init; }
    public float TopP { get; init; } = 1;
    public float MinP { get; init; }
    public float RepetitionPenalty { get; init; } = 1;
    public float PresencePenalty { get; init; }
    public float FrequencyPenalty { get; init; }
    public IReadOnlyList<KeyValuePair<int, float>> LogitBias { get; init; } = [];

    /// <summary>With the number of the draw it decides every random number: the same seed draws the same tokens in any batch.</summary>
    public ulong Seed { get; init; }

    /// <summary>−1: no log probabilities; otherwise how many alternatives come with each token.</summary>
    public int TopLogprobs { get; init; } = -1;
    public bool IgnoreEnd { get; init; }

    internal bool CountsTokens => PresencePenalty != 0 || FrequencyPenalty != 0;
    internal bool ChangesLogits => CountsTokens || RepetitionPenalty != 1 || LogitBias.Count > 0;
}

public readonly record struct TokenAlternative(int Token, float Logprob);

/// <param name="Logprob">NaN unless asked for.</param>
public readonly record struct SampledToken(int Token, float Logprob, IReadOnlyList<TokenAlternative>? Top);
