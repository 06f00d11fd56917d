using LServe.Sessions;

namespace LServe.Embedded;

/// <summary>Bounds of the embedded host.</summary>
public sealed record EmbeddedOptions
{
    /// <summary>Sessions: most in memory at once; the longest idle one leaves first. Default 1024.</summary>
    public int MaxActiveSessions { get; init; } = 1024;

    /// <summary>Time after which an idle session leaves memory; it stays in the store. Default 30 minutes.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Time between two looks for idle sessions. Default 1 minute.</summary>
    public TimeSpan SweepInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Stateless turns: most at once; past it the answer is 503. Default 256.</summary>
    public int MaxStatelessTurns { get; init; } = StatelessTurns.DefaultMaxTurns;
}
