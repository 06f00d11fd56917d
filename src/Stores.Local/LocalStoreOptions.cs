namespace LServe.Stores.Local;

/// <summary>Where and how much is kept.</summary>
public sealed record LocalStoreOptions
{
    public const int DefaultKeepTurns = 8;
    public const int MaxKeepTurns = 1024;

    /// <summary>Below the folder that the system has for a user's programs.</summary>
    public static string DefaultFolder => Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "lserve", "sessions");

    /// <summary>Made if it isn't there. One process at a time.</summary>
    public required string Folder { get; init; }

    /// <summary>Turns: the last ones of each session whose pages stay, so that they can be forked and rewound at once. Default 8.</summary>
    public int KeepTurns { get; init; } = DefaultKeepTurns;

    /// <summary>Bytes of page files in all; past it the sessions used longest ago lose theirs. Default: no limit.</summary>
    public long MaxPageBytes { get; init; } = long.MaxValue;

    /// <summary>
    /// Called with its name at each point where a crash would leave something half done: before every write, sync, rename and deletion,
    /// and around commits. For tests of crashes.
    /// </summary>
    public Action<string>? AtPoint { get; init; }
}
