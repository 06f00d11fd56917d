using System.Collections.Concurrent;
using LServe.Sessions;
using Microsoft.Extensions.Hosting;
using Orleans.Runtime;

namespace LServe.Grains;

/// <summary>A silo as the board knows it.</summary>
/// <param name="Read">When the report came, by <see cref="TimeProvider.GetTimestamp"/>.</param>
/// <param name="Placed">Sessions that were placed there since, which the report can't know of.</param>
internal sealed record SiloView(SiloAddress Address, SiloReport Report, long Read, int Placed);

/// <summary>What this silo knows of all silos' room: every one is asked each <see cref="RefreshInterval"/>.</summary>
internal sealed class CapacityBoard(
    ISiloServiceClient services, ISiloStatusOracle silos, ILocalSiloDetails local, SiloReporter reporter, ActiveSessions active, SessionEnvironment environment)
    : BackgroundService
{
    public static readonly TimeSpan RefreshInterval = TimeSpan.FromSeconds(1);

    /// <summary>Age past which a report says nothing any more.</summary>
    public static readonly TimeSpan StalenessLimit = TimeSpan.FromSeconds(5);

    /// <summary>Time that a silo has to answer.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<SiloAddress, SiloView> _views = new();

    public SiloAddress Local => local.SiloAddress;

    /// <summary>What is known, and not too old, of the silos in question.</summary>
    public IReadOnlyList<SiloView> Of(IEnumerable<SiloAddress> asked) =>
        [.. asked.Select(silo => _views.GetValueOrDefault(silo)).OfType<SiloView>().Where(view => environment.Time.GetElapsedTime(view.Read) <= StalenessLimit).Select(Amend)];

    /// <summary>The same of all silos that are alive; they are asked if one isn't known yet.</summary>
    public async Task<IReadOnlyList<SiloView>> AllAsync()
    {
        var alive = Alive();
        return Of(alive) is var known && known.Count == alive.Length ? known : await RefreshAsync();
    }

    /// <summary>A session goes there.</summary>
    public void NotePlacement(SiloAddress silo)
    {
        while (_views.TryGetValue(silo, out var view) && !_views.TryUpdate(silo, view with { Placed = view.Placed + 1 }, view))
        {
        }
    }

    /// <summary>Asks all silos; those that don't answer in time are left out.</summary>
    public async Task<IReadOnlyList<SiloView>> RefreshAsync(CancellationToken cancellation = default)
    {
        var alive = Alive();
        foreach (var gone in _views.Keys.Except(alive)) _views.TryRemove(gone, out _);
        var read = await Task.WhenAll(alive.Select(silo => ReadAsync(silo, cancellation)));
        return [.. read.OfType<SiloView>()];
    }

    /// <summary>Whether a silo's own stores have the session; false if it doesn't answer in time.</summary>
    public async Task<bool> HoldsAsync(SiloAddress silo, string session)
    {
        try
        {
            return await services.At(silo).HoldsAsync(session).WaitAsync(s_patience);
        }
        catch (Exception failure) when (ClusterFailures.IsOfTheCluster(failure))
        {
            return false;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(RefreshInterval, environment.Time);
        do await RefreshAsync(stopping);
        while (await timer.WaitForNextTickAsync(stopping));
    }

    private SiloAddress[] Alive() => [.. silos.GetApproximateSiloStatuses(onlyActive: true).Keys];

    /// <summary>Of itself a silo knows at once that it is leaving.</summary>
    private SiloView Amend(SiloView view) =>
        view.Address.Equals(Local) && environment.Activity.Draining ? view with { Report = view.Report with { Draining = true } } : view;

    private async Task<SiloView?> ReadAsync(SiloAddress silo, CancellationToken cancellation)
    {
        try
        {
            var report = silo.Equals(Local)
                ? await reporter.ReadAsync(active.Count, cancellation)
                : ReportJson.Read(await services.At(silo).ReportAsync().WaitAsync(s_patience, cancellation));
            return _views[silo] = new(silo, report, environment.Time.GetTimestamp(), 0);
        }
        catch (Exception) when (!cancellation.IsCancellationRequested)
        {
            // Whatever went wrong: nothing is known of it then.
            return null;
        }
    }
}
