using LServe.Sessions;
using Microsoft.Extensions.Hosting;
using Orleans.Runtime;

namespace LServe.Grains;

/// <summary>
/// While this silo's page pool is nearly full and another's is not, idle sessions move there, those first that nobody used for longest: here
/// they would soon lose their pages. Only where silos share a store.
/// </summary>
internal sealed class SessionBalance(CapacityBoard board, ActiveSessions active, SessionEnvironment environment) : BackgroundService
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>Sessions: most that leave in one round, so that the next one sees what came of it.</summary>
    public const int MaxMoves = 8;

    /// <returns>Sessions that were sent elsewhere.</returns>
    public async Task<int> RunOnceAsync()
    {
        if (!environment.SharedStores || environment.Activity.Draining) return 0;
        var known = await board.AllAsync();
        var others = known.Where(silo => !silo.Address.Equals(board.Local) && !silo.Report.Draining && silo.Report.Content == environment.Fingerprint?.Content);
        if (known.FirstOrDefault(silo => silo.Address.Equals(board.Local)) is not { } here || SiloChoice.Relief(here, others) is not { } target) return 0;
        var leaving = active.Grains.Where(session => session.IsWarm && session.IsIdle).OrderByDescending(session => session.IdleFor).Take(MaxMoves);
        var moved = await Task.WhenAll(leaving.Select(session => session.AsReference<ISessionGrain>().MigrateAsync(target.Report.Silo.Name)));
        var sent = moved.Count(reply => reply.Error is null);
        for (var i = 0; i < sent; i++) board.NotePlacement(target.Address);
        return sent;
    }

    protected override async Task ExecuteAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval, environment.Time);
        while (await timer.WaitForNextTickAsync(stopping))
        {
            try
            {
                await RunOnceAsync();
            }
            catch (Exception failure) when (ClusterFailures.IsOfTheCluster(failure))
            {
                // A silo comes or goes; the next round sees who is there.
            }
        }
    }
}
