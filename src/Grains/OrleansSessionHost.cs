using LServe.Contracts;
using LServe.Sessions;

namespace LServe.Grains;

/// <summary>Sessions as grains of a cluster. Stateless turns run on this silo's own engine.</summary>
internal sealed class OrleansSessionHost(IGrainFactory grains, SessionEnvironment environment, SessionGrainOptions options, ActiveSessions active, CapacityBoard board)
    : ISessionHost
{
    private readonly StatelessTurns _stateless = new(environment, options.MaxStatelessTurns);
    private readonly StatusReport _status = new(environment);

    public HostStatus Status => _status.Read(active.Count);

    public async ValueTask<IReadOnlyList<SiloReport>> ReportAsync(CancellationToken cancellation = default) =>
        [.. (await board.RefreshAsync(cancellation)).Select(silo => silo.Report).OrderBy(report => report.Silo.Name, StringComparer.Ordinal)];

    public IAsyncEnumerable<TurnEvent> SendAsync(SessionKey key, TurnRequest request, CancellationToken cancellation = default) =>
        grains.GetSessionGrain(key).RunTurnAsync(request, cancellation);

    public IAsyncEnumerable<TurnEvent> RunAsync(string tenant, TurnRequest request, CancellationToken cancellation = default) =>
        _stateless.RunAsync(tenant, request, cancellation);

    public async ValueTask<SessionInfo?> GetAsync(SessionKey key, CancellationToken cancellation = default) =>
        await grains.GetSessionGrain(key).DescribeAsync(cancellation);

    public async ValueTask<IReadOnlyList<SessionInfo>> ListAsync(string tenant, int limit = 100, CancellationToken cancellation = default) =>
        await grains.ListSessionsAsync(tenant, limit, cancellation);

    public async ValueTask<bool> CancelAsync(SessionKey key, CancellationToken cancellation = default) =>
        await grains.GetSessionGrain(key).TryCancelAsync(cancellation);

    public async ValueTask<bool> ReleaseAsync(SessionKey key, CancellationToken cancellation = default) =>
        await grains.GetSessionGrain(key).TryReleaseAsync(cancellation);

    public async ValueTask<SessionInfo?> RewindAsync(SessionKey key, int turn, CancellationToken cancellation = default) =>
        await grains.GetSessionGrain(key).RewindToAsync(turn, cancellation);

    public async ValueTask<SessionInfo?> ForkAsync(SessionKey key, SessionKey to, int? turn = null, AttentionKind? attention = null, CancellationToken cancellation = default) =>
        await grains.GetSessionGrain(key).ForkToAsync(to.Session, turn, attention, cancellation);

    public async ValueTask<string?> MigrateAsync(SessionKey key, string? silo = null, CancellationToken cancellation = default) =>
        await grains.GetSessionGrain(key).MigrateToAsync(silo, cancellation);

    // What is committed is all that travels, so that no grain is asked: the files go by this silo's stores.
    public async ValueTask<bool> ExportAsync(SessionKey key, bool withPages, Stream to, CancellationToken cancellation = default) =>
        await SessionExport.RunAsync(environment.Stores, key, withPages, to, cancellation);

    public async ValueTask<SessionInfo> ImportAsync(string tenant, string? name, Stream from, CancellationToken cancellation = default) =>
        await SessionImport.RunAsync(environment.Stores, tenant, name, from, cancellation);

    public async ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellation = default) =>
        await grains.GetSessionGrain(key).TryDeleteAsync(cancellation);
}
