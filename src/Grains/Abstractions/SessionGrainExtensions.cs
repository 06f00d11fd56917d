using LServe.Contracts;

namespace LServe.Grains;

/// <summary>
/// A session grain as its callers want it: every failure is a <see cref="LServeException"/>, and a reader may pause for as long as it
/// likes.
/// </summary>
public static class SessionGrainExtensions
{
    private const int MigrationAttempts = 3;

    public static ISessionGrain GetSessionGrain(this IGrainFactory grains, SessionKey key) => grains.GetGrain<ISessionGrain>(key.ToString());

    /// <summary>
    /// Runs one turn. The events are fetched as they come, whether or not the reader keeps up; leaving the enumeration stops the turn and
    /// keeps exactly what the reader got; a stream that breaks is resumed by its turn id.
    /// </summary>
    public static IAsyncEnumerable<TurnEvent> RunTurnAsync(this ISessionGrain grain, TurnRequest request, CancellationToken cancellation = default) =>
        new TurnStream(grain, request).ReadAsync(cancellation);

    /// <summary>What is kept, or null.</summary>
    public static async Task<SessionInfo?> DescribeAsync(this ISessionGrain grain, CancellationToken cancellation = default) =>
        (await ClusterFailures.ThrowIfFailedAsync(grain.GetAsync(), cancellation).ConfigureAwait(false)).Session;

    /// <inheritdoc cref="ISessionGrain.CancelAsync"/>
    public static Task<bool> TryCancelAsync(this ISessionGrain grain, CancellationToken cancellation = default) =>
        DoneAsync(grain.CancelAsync(), cancellation);

    /// <inheritdoc cref="ISessionGrain.ReleaseAsync"/>
    public static Task<bool> TryReleaseAsync(this ISessionGrain grain, CancellationToken cancellation = default) =>
        DoneAsync(grain.ReleaseAsync(), cancellation);

    /// <inheritdoc cref="ISessionGrain.DeleteAsync"/>
    public static Task<bool> TryDeleteAsync(this ISessionGrain grain, CancellationToken cancellation = default) =>
        DoneAsync(grain.DeleteAsync(), cancellation);

    /// <inheritdoc cref="ISessionGrain.RewindAsync"/>
    public static async Task<SessionInfo?> RewindToAsync(this ISessionGrain grain, int turn, CancellationToken cancellation = default) =>
        (await ClusterFailures.ThrowIfFailedAsync(grain.RewindAsync(turn), cancellation).ConfigureAwait(false)).Session;

    /// <inheritdoc cref="ISessionGrain.ForkAsync"/>
    public static async Task<SessionInfo?> ForkToAsync(this ISessionGrain grain, string to, int? turn, AttentionKind? attention = null, CancellationToken cancellation = default) =>
        (await ClusterFailures.ThrowIfFailedAsync(grain.ForkAsync(to, turn, attention), cancellation).ConfigureAwait(false)).Session;

    /// <summary>Moves the session to another silo; where it is then, or null when there is no such session.</summary>
    /// <param name="silo">Name of the silo; null: the one with the most room.</param>
    public static async Task<string?> MigrateToAsync(this ISessionGrain grain, string? silo, CancellationToken cancellation = default)
    {
        for (var attempt = 1; ; attempt++)
        {
            var going = await ClusterFailures.ThrowIfFailedAsync(grain.MigrateAsync(silo), cancellation).ConfigureAwait(false);
            if (going.Silo is null) return null;
            // Asked of the session itself, which answers from where it is, so that it has arrived when this returns.
            var there = await ClusterFailures.ThrowIfFailedAsync(grain.LocateAsync(), cancellation).ConfigureAwait(false);
            if (there.Silo == going.Silo) return there.Silo;
            // Orleans drops what travels when a message overtakes it, sent by who remembers an earlier stay there; the session then begins anew from the store.
            if (attempt == MigrationAttempts)
                throw LServeException.Overloaded($"The session is at {there.Silo} and not at {going.Silo}, which didn't take it. It goes on where it is; try again.");
        }
    }

    /// <summary>The tenant's sessions, most recently used first, without their messages.</summary>
    public static async Task<IReadOnlyList<SessionInfo>> ListSessionsAsync(
        this IGrainFactory grains, string tenant, int limit, CancellationToken cancellation = default) =>
        (await ClusterFailures.ThrowIfFailedAsync(grains.GetGrain<ISessionListGrain>(tenant).ListAsync(limit), cancellation).ConfigureAwait(false)).Sessions;

    private static async Task<bool> DoneAsync(Task<SessionReply> reply, CancellationToken cancellation) =>
        (await ClusterFailures.ThrowIfFailedAsync(reply, cancellation).ConfigureAwait(false)).Done;
}
