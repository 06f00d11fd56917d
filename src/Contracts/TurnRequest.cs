namespace LServe.Contracts;

/// <summary>
/// What a client asks of a conversation: one turn. Exactly one of <see cref="Messages"/>, <see cref="Prompt"/> and
/// <see cref="PromptTokens"/> is set.
/// </summary>
public sealed record TurnRequest
{
    /// <summary>Largest number of characters of a turn id.</summary>
    public const int MaxTurnIdLength = 128;

    /// <summary>
    /// Names this turn; null draws a name. Sending the id of the last committed turn again returns its result and runs nothing;
    /// sending the id of the turn in progress joins it.
    /// </summary>
    public string? TurnId { get; init; }

    /// <summary>
    /// Chat messages: the new ones alone, or every kept message in order followed by at least one new one.
    /// </summary>
    public IReadOnlyList<ChatMessage>? Messages { get; init; }

    /// <summary>Raw text to continue, outside any chat template.</summary>
    public string? Prompt { get; init; }

    /// <summary>Token ids to continue, instead of <see cref="Prompt"/>.</summary>
    public IReadOnlyList<int>? PromptTokens { get; init; }

    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>How the conversation is to attend; null: as it does, or, of a new one, as the server's sessions do.</summary>
    public AttentionKind? Attention { get; init; }

    /// <summary>Largest number of seconds of <see cref="KeepAlive"/>: a week.</summary>
    public const int MaxKeepAlive = 7 * 24 * 3600;

    /// <summary>
    /// Seconds that the session's pages stay in memory after this turn, such as while its client waits for a tool; other idle sessions
    /// give way first. 0: they are freed at once. Null: as long as the server keeps idle sessions.
    /// </summary>
    public int? KeepAlive { get; init; }

    /// <summary>
    /// Whether a session that was computed with other weights, another head pattern or another form of KV cache than this server's may be read
    /// again, all of it, so that it goes on here. Without it such a session's turn is refused.
    /// </summary>
    public bool Replay { get; init; }
}
