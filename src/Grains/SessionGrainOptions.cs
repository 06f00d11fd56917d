namespace LServe.Grains;

/// <summary>Bounds of a silo's session grains.</summary>
public sealed record SessionGrainOptions
{
    /// <summary>Time after which an idle session leaves memory; it stays in the store. Default 30 minutes.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Time that a session which must leave its silo has to finish its turns; past it they are cut and committed. Default 10 s.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Stateless turns: most at once on this silo; past it the answer is 503. Default 256.</summary>
    public int MaxStatelessTurns { get; init; } = Sessions.StatelessTurns.DefaultMaxTurns;
}
