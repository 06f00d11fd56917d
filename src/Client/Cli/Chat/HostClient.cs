using LServe.Client;
using LServe.Contracts;
using LServe.Sessions;

namespace LServe.Cli.Chat;

/// <summary>The sessions of a host in this process, as a client sees them.</summary>
internal sealed class HostClient(ISessionHost host) : ISessionClient
{
    public IAsyncEnumerable<TurnEvent> SendAsync(string sessionId, TurnRequest request, CancellationToken cancellation = default) =>
        host.SendAsync(Key(sessionId), request, cancellation);

    public Task<SessionInfo?> GetAsync(string sessionId, CancellationToken cancellation = default) => host.GetAsync(Key(sessionId), cancellation).AsTask();

    public Task<IReadOnlyList<SessionInfo>> ListAsync(int limit = 100, CancellationToken cancellation = default) =>
        host.ListAsync(SessionKey.DefaultTenant, limit, cancellation).AsTask();

    public Task<bool> CancelAsync(string sessionId, CancellationToken cancellation = default) => host.CancelAsync(Key(sessionId), cancellation).AsTask();

    public Task<bool> ReleaseAsync(string sessionId, CancellationToken cancellation = default) => host.ReleaseAsync(Key(sessionId), cancellation).AsTask();

    public Task<string?> MigrateAsync(string sessionId, string? silo = null, CancellationToken cancellation = default) =>
        host.MigrateAsync(Key(sessionId), silo, cancellation).AsTask();

    public Task<bool> DeleteAsync(string sessionId, CancellationToken cancellation = default) => host.DeleteAsync(Key(sessionId), cancellation).AsTask();

    public Task<SessionInfo?> RewindAsync(string sessionId, int turn, CancellationToken cancellation = default) => host.RewindAsync(Key(sessionId), turn, cancellation).AsTask();

    public Task<SessionInfo?> ForkAsync(string sessionId, string to, int? turn = null, AttentionKind? attention = null, CancellationToken cancellation = default) =>
        host.ForkAsync(Key(sessionId), Key(to), turn, attention, cancellation).AsTask();

    private static SessionKey Key(string sessionId) => new(SessionKey.DefaultTenant, sessionId);
}
