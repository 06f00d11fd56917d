using LServe.Contracts;
using LServe.Inference;

namespace LServe.Sessions;

/// <summary>All that a session keeps between turns; of its KV pages, where they are. Immutable; a turn replaces it whole.</summary>
public sealed record SessionSnapshot
{
    /// <summary>Version of this record's shape.</summary>
    public const int CurrentVersion = 2;

    public int Version { get; init; } = CurrentVersion;
    public required SessionKey Key { get; init; }
    public required string Model { get; init; }

    /// <summary>What the tokens and their pages were made with; null if that isn't known.</summary>
    public SessionFingerprint? Fingerprint { get; init; }

    /// <summary>
    /// The token ids of the conversation; never tokenised again. An answer's end token is not among them: it has no keys and values
    /// yet, and the next prompt begins with it.
    /// </summary>
    public required IReadOnlyList<int> Tokens { get; init; }

    /// <summary>How each token's keys and values were computed, for exact replays; tokens after the last run have none yet.</summary>
    public required IReadOnlyList<TokenRun> Runs { get; init; }

    /// <summary>How the session attends, from its first turn on.</summary>
    public AttentionMode Attention { get; init; }

    public required IReadOnlyList<KeptMessage> Messages { get; init; }

    public required int Turns { get; init; }
    public required CommittedTurn? LastTurn { get; init; }
    public required DateTimeOffset Created { get; init; }
    public required DateTimeOffset LastUsed { get; init; }

    /// <summary>Where the records of the KV cache are that go with these tokens. May lack any: what is missing is computed again.</summary>
    public IReadOnlyDictionary<KvRecordId, KvLocator> Kv { get; init; } = NoRecords;

    public static IReadOnlyDictionary<KvRecordId, KvLocator> NoRecords { get; } = new Dictionary<KvRecordId, KvLocator>();
}

/// <param name="Role">A chat role, or <see cref="RawPrompt"/> / <see cref="RawCompletion"/> for turns outside the chat template.</param>
/// <param name="EndToken">Tokens of the conversation up to the end of this message.</param>
public sealed record KeptMessage(string Role, string Content, int EndToken)
{
    public const string RawPrompt = "prompt";
    public const string RawCompletion = "completion";
}

/// <summary>The result of the last committed turn, which a repetition of its id returns.</summary>
public sealed record CommittedTurn(string TurnId, string Text, FinishReason Reason, TurnUsage Usage, IReadOnlyList<TokenLogprob>? Logprobs);

/// <summary>What a session was made with, in two parts that change for different reasons.</summary>
/// <param name="Content">Weights, tokenizer, head pattern, format of keys and values: with another one the pages mean nothing.</param>
/// <param name="Arithmetic">Device kind, vector width, kernels: with another one the pages serve, but the next tokens may differ.</param>
public sealed record SessionFingerprint(string Content, string Arithmetic);
