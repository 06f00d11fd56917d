using LServe.Contracts;

namespace LServe.Client;

/// <summary>
/// How a client tries again what failed with <see cref="ErrorInfo.Retryable"/>: turns, whose id keeps them from running twice, and calls
/// that do no harm when they are done twice. Forks, imports, exports and deletions are the caller's to repeat.
/// </summary>
public sealed record RetryOptions
{
    /// <summary>Every failure is the caller's.</summary>
    public static readonly RetryOptions None = new() { MaxRetries = 0 };

    /// <summary>Times: most that a call, or a turn since its last new event, is tried again. Default 4.</summary>
    public int MaxRetries { get; init; } = 4;

    /// <summary>Time before the first of these; it doubles from one to the next. Default 0.5 s.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Time before a further try, at most; a failure that asks for more is the caller's. Default 10 s.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long to wait after a failure; null: it isn't tried again.</summary>
    /// <param name="retries">Times that it was tried again.</param>
    internal TimeSpan? DelayAfter(ErrorInfo error, int retries)
    {
        if (!error.Retryable || retries >= MaxRetries) return null;
        var delay = TimeSpan.FromTicks(Math.Min(MaxDelay.Ticks, (long)(Delay.Ticks * Math.Pow(2, retries))));
        var asked = TimeSpan.FromSeconds(error.RetryAfterSeconds ?? 0);
        return asked > MaxDelay ? null : asked > delay ? asked : delay;
    }
}
