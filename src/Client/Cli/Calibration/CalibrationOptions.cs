namespace LServe.Cli.Calibration;

/// <summary>How a pattern is made, and what it will say.</summary>
internal sealed record CalibrationOptions
{
    public const int DefaultPrompts = 4, DefaultTokens = 1280;

    /// <summary>Prompts. Default 4.</summary>
    public int Prompts { get; init; } = DefaultPrompts;

    /// <summary>Tokens of a prompt's text, more than sink and the ablation's window. Default 1280.</summary>
    public int Tokens { get; init; } = DefaultTokens;

    /// <summary>What prompts are drawn with. Default 1.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Tokens: first ones that a streaming head sees. Default 64.</summary>
    public int Sink { get; init; } = 64;

    /// <summary>Tokens: last ones that a head sees while it is tried. Small, so that short prompts tell heads apart. Default 256.</summary>
    public int AblationLocal { get; init; } = 256;

    /// <summary>Tokens: last ones that a streaming head sees once the pattern is used. Default 1024.</summary>
    public int Local { get; init; } = 1024;

    /// <summary>Share of heads that stream. Default one half.</summary>
    public double Share { get; init; } = 0.5;

    /// <summary>By attention mass in place of ablation: seconds in place of minutes, and worse.</summary>
    public bool Quick { get; init; }

    /// <summary>Threads. 0 (default): one per core.</summary>
    public int Threads { get; init; }
}
