using LServe.Inference;

namespace LServe.Sessions;

/// <summary>Puts together what this process is doing. Thread-safe.</summary>
public sealed class SiloReporter(SessionEnvironment environment)
{
    /// <summary>Time for which the size of what is kept counts, since it may take a walk over many files to learn it.</summary>
    private static readonly TimeSpan s_sizeAge = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _measuring = new(1);
    private long? _keptBytes;
    private long? _measured;

    /// <param name="activations">Sessions in this process's memory.</param>
    public async ValueTask<SiloReport> ReadAsync(int activations, CancellationToken cancellation = default)
    {
        var (engine, activity) = (environment.Engine, environment.Activity);
        var s = engine.Statistics;
        var tenants = activity.Tenants.Read();
        return new()
        {
            Silo = activity.Silo,
            Model = environment.ModelName,
            Content = environment.Fingerprint?.Content,
            Backend = engine.Backend.Name,
            Draining = activity.Draining,
            Started = activity.Started,
            Uptime = environment.Time.GetUtcNow() - activity.Started,
            Activations = activations,
            Placements = activity.Placements,
            MigrationsIn = activity.MigrationsIn,
            MigrationsOut = activity.MigrationsOut,
            Kv = [.. PoolsOf(engine, s), .. await DiskAsync(cancellation)],
            Running = s.Running,
            BatchRows = s.LastBatch,
            Queued = s.Waiting,
            QueuedTokens = s.QueuedTokens,
            PromptTokens = s.PromptTokens,
            GeneratedTokens = s.GeneratedTokens,
            TokensPerSecond = tenants.Sum(t => t.TokensPerSecond),
            Tenants = tenants,
        };
    }

    private static IEnumerable<KvUsage> PoolsOf(Engine engine, EngineStatistics s)
    {
        var tier = engine.Backend.PagesOnDevice ? KvTier.Device : KvTier.Host;
        yield return KvUsage.Of(tier, KvPool.Retrieval, s.PagesUsed, s.PagesBusy, engine.Geometry);
        if (engine.Geometry.Heads.AnyStreams) yield return KvUsage.Of(tier, KvPool.Streaming, s.StreamingPagesUsed, s.StreamingPagesBusy, engine.Geometry);
    }

    private async ValueTask<IReadOnlyList<KvUsage>> DiskAsync(CancellationToken cancellation)
    {
        if (environment.Pages is not { } pages) return [];
        await _measuring.WaitAsync(cancellation);
        try
        {
            if (_measured is not { } then || environment.Time.GetElapsedTime(then) > s_sizeAge)
                (_keptBytes, _measured) = (await pages.TotalSizeAsync(cancellation), environment.Time.GetTimestamp());
        }
        catch (SessionStoreException)
        {
            // A store that is out of reach says nothing; the rest of the report is true all the same.
            (_keptBytes, _measured) = (null, environment.Time.GetTimestamp());
        }
        finally
        {
            _measuring.Release();
        }
        return [new(KvTier.Disk, null, null, null, _keptBytes, pages.MaxBytes)];
    }
}
