using LServe.Contracts;
using LServe.Inference;

namespace LServe.Sessions;

/// <summary>All that a session keeps between turns apart from its KV pages. Immutable; a turn replaces it whole.</summary>
public sealed record SessionSnapshot
{
    /// <summary>Version of this record's shape.</summary>
    public const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;
    public required SessionKey Key { get; init; }
    public required string Model { get; init; }

    /// <summary>
    /// The token ids of the conversation; never tokenised again. An answer's end token is not among them: it has no keys and values
    /// yet, and the next prompt begins with it.
    /// </summary>
    public required IReadOnlyList<int> Tokens { get; init; }

    /// <summary>How each token's keys and values were computed, for exact replays; tokens after the last run have none yet.</summary>
    public required IReadOnlyList<TokenRun> Runs { get; init; }

    public required IReadOnlyList<KeptMessage> Messages { get; init; }

    public required int Turns { get; init; }
    public required CommittedTurn? LastTurn { get; init; }
    public required DateTimeOffset Created { get; init; }
    public required DateTimeOffset LastUsed { get; init; }
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
