namespace LServe.Inference;

public enum TokenEventKind
{
    /// <summary>Part of the prompt is processed.</summary>
    Progress,

    /// <summary>A token was drawn.</summary>
    Token,

    /// <summary>The last event of a generation that ended.</summary>
    Finished,

    /// <summary>The last event of a generation that the engine could not finish.</summary>
    Failed,
}

/// <summary>Why a generation ended.</summary>
public enum StopCause
{
    /// <summary>An end token was drawn; it is the last token of the sequence.</summary>
    EndToken,

    /// <summary>The token limit or the context window.</summary>
    Length,

    /// <summary><see cref="Engine.Cancel"/>.</summary>
    Cancelled,
}

/// <summary>What the engine tells about one generation. A value, so that steady decoding allocates nothing.</summary>
public readonly record struct TokenEvent
{
    public TokenEventKind Kind { get; private init; }

    /// <summary>With <see cref="TokenEventKind.Token"/>.</summary>
    public int Token { get; private init; }

    /// <summary>Whether the token ends the answer; it is no text.</summary>
    public bool IsEnd { get; private init; }

    /// <summary>Natural log probability in the model's own distribution; NaN unless asked for.</summary>
    public float Logprob { get; private init; }

    /// <summary>The most likely tokens, if asked for.</summary>
    public IReadOnlyList<TokenAlternative>? Top { get; private init; }

    /// <summary>With <see cref="TokenEventKind.Progress"/>: tokens processed and to process.</summary>
    public int Done { get; private init; }
    public int Total { get; private init; }

    /// <summary>With <see cref="TokenEventKind.Finished"/>.</summary>
    public StopCause Cause { get; private init; }

    /// <summary>With <see cref="TokenEventKind.Failed"/>.</summary>
    public Exception? Error { get; private init; }

    public static TokenEvent OfProgress(int done, int total) => new() { Kind = TokenEventKind.Progress, Done = done, Total = total };

    public static TokenEvent OfToken(SampledToken sampled, bool isEnd) =>
        new() { Kind = TokenEventKind.Token, Token = sampled.Token, IsEnd = isEnd, Logprob = sampled.Logprob, Top = sampled.Top };

    public static TokenEvent OfEnd(StopCause cause) => new() { Kind = TokenEventKind.Finished, Cause = cause };

    public static TokenEvent OfFailure(Exception error) => new() { Kind = TokenEventKind.Failed, Error = error };
}
