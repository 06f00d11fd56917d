namespace LServe.Sessions;

/// <summary>What a process's host counts for its reports. Thread-safe.</summary>
public sealed class SiloActivity(TimeProvider time)
{
    private long _placements, _migrationsIn, _migrationsOut;
    private volatile bool _draining;
    private volatile SiloIdentity _silo = new(System.Environment.MachineName, null, "embedded");

    public DateTimeOffset Started { get; } = time.GetUtcNow();

    public TenantRates Tenants { get; } = new(time);

    /// <summary>Which process this is; known once it listens.</summary>
    public SiloIdentity Silo
    {
        get => _silo;
        set => _silo = value;
    }

    /// <summary>Whether no new sessions are taken any more.</summary>
    public bool Draining
    {
        get => _draining;
        set => _draining = value;
    }

    public long Placements => Interlocked.Read(ref _placements);
    public long MigrationsIn => Interlocked.Read(ref _migrationsIn);
    public long MigrationsOut => Interlocked.Read(ref _migrationsOut);

    /// <summary>A session came into this process's memory.</summary>
    public void CountPlacement() => Interlocked.Increment(ref _placements);

    /// <summary>A session came from another silo with what it had in memory; its placement is counted besides.</summary>
    public void CountMigrationIn() => Interlocked.Increment(ref _migrationsIn);

    /// <summary>A session left for another silo with what it had in memory.</summary>
    public void CountMigrationOut() => Interlocked.Increment(ref _migrationsOut);
}
