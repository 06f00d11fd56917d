namespace LServe.Sessions;

/// <summary>
/// What one process of a host is doing, for dashboards and for whoever decides where sessions go. Counters are since its start. Plain
/// values: <see cref="ReportJson"/> carries them from silo to silo.
/// </summary>
public sealed record SiloReport
{
    public required SiloIdentity Silo { get; init; }
    public required string Model { get; init; }

    /// <summary><see cref="SessionFingerprint.Content"/>; null if it isn't known. Pages move between silos with the same one alone.</summary>
    public string? Content { get; init; }

    /// <summary>The engine's device, for people.</summary>
    public required string Backend { get; init; }

    /// <summary>Whether it takes no new sessions, because it is about to stop.</summary>
    public bool Draining { get; init; }

    public required DateTimeOffset Started { get; init; }
    public required TimeSpan Uptime { get; init; }

    /// <summary>Sessions in memory.</summary>
    public required int Activations { get; init; }

    /// <summary>Sessions that came into this process's memory.</summary>
    public required long Placements { get; init; }

    /// <summary>Of these, sessions that came from another silo with what they had in memory.</summary>
    public long MigrationsIn { get; init; }

    /// <summary>Sessions that left for another silo with what they had in memory.</summary>
    public long MigrationsOut { get; init; }

    /// <summary>Where keys and values are: a row for each pool of the engine, then one for the disk if pages are kept.</summary>
    public required IReadOnlyList<KvUsage> Kv { get; init; }

    /// <summary>Sequences that share the engine's steps.</summary>
    public required int Running { get; init; }

    /// <summary>Rows of the engine's last step: one for each answer, and prompt tokens beside them.</summary>
    public required int BatchRows { get; init; }

    /// <summary>Sequences that wait for a place in a step.</summary>
    public required int Queued { get; init; }

    /// <summary>Tokens of prompts, and of answers that lost their pages, that are still to be computed, of all sequences.</summary>
    public required long QueuedTokens { get; init; }

    public required long PromptTokens { get; init; }
    public required long GeneratedTokens { get; init; }

    /// <summary>Tokens of answers per second, lately.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>The same for each tenant, the fastest first, at most <see cref="TenantRates.MaxTenants"/>; those without any are left out.</summary>
    public required IReadOnlyList<TenantRate> Tenants { get; init; }
}

/// <summary>Which process a report is of.</summary>
/// <param name="Name">Unique among the silos of a cluster.</param>
/// <param name="Address">Where its API is reached; null if that isn't known.</param>
/// <param name="Edition">How it was built: <c>single-machine</c> or <c>cluster</c>.</param>
public sealed record SiloIdentity(string Name, Uri? Address, string Edition);

/// <param name="Tenant"><see cref="TenantRates.Others"/> stands for all that have no row of their own.</param>
public sealed record TenantRate(string Tenant, double TokensPerSecond);
