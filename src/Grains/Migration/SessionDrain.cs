using LServe.Sessions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace LServe.Grains;

/// <summary>
/// Empties a silo that was told to stop, before anything else of it stops: sessions with pages in memory move to other silos, the others
/// are left to the store, which has all committed turns anyway. Turns in progress get <see cref="SessionGrainOptions.DrainTimeout"/>.
/// </summary>
internal sealed class SessionDrain(ActiveSessions active, SessionEnvironment environment, SessionGrainOptions options, ILogger<SessionDrain> log) : IHostedLifecycleService
{
    /// <summary>Time for the moves, beside that of turns in progress; sessions still here then are left to the store.</summary>
    private static readonly TimeSpan s_moving = TimeSpan.FromSeconds(5);

    private static readonly DeactivationReason s_reason = new(DeactivationReasonCode.ShuttingDown, "The silo stops.");

    public async Task StoppingAsync(CancellationToken cancellation)
    {
        environment.Activity.Draining = true;
        var leaving = active.Grains;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(options.DrainTimeout + s_moving);
        var gone = Task.WhenAll(leaving.Select(session => LeaveAsync(session, patience.Token)));
        await gone.WaitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (active.Count > 0) log.LogWarning("{Sessions} of {All} sessions had not left when time was over; the store has their committed turns.", active.Count, leaving.Count);
    }

    public Task StartingAsync(CancellationToken cancellation) => Task.CompletedTask;
    public Task StartAsync(CancellationToken cancellation) => Task.CompletedTask;
    public Task StartedAsync(CancellationToken cancellation) => Task.CompletedTask;
    public Task StopAsync(CancellationToken cancellation) => Task.CompletedTask;
    public Task StoppedAsync(CancellationToken cancellation) => Task.CompletedTask;

    private Task LeaveAsync(SessionGrain session, CancellationToken cancellation)
    {
        var context = ((IGrainBase)session).GrainContext;
        if (environment.SharedStores && session.IsWarm) context.Migrate(null, cancellation);
        else context.Deactivate(s_reason, cancellation);
        return context.Deactivated;
    }
}
