using LServe.Contracts;
using LServe.Grains;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace LServe.Client;

/// <summary>Speaks to session grains directly, as a client of their cluster. Only in the cluster edition.</summary>
public sealed class LServeClusterClient : ISessionClient, IAsyncDisposable
{
    private static readonly TimeSpan s_retryDelay = TimeSpan.FromSeconds(1);

    private readonly IGrainFactory _grains;
    private readonly string _tenant;
    private readonly Retrying _retrying;
    private readonly IHost? _connection;

    /// <param name="grains">A connection that stays the caller's, such as a silo's or an application's own.</param>
    public LServeClusterClient(IGrainFactory grains, string tenant = SessionKey.DefaultTenant, RetryOptions? retry = null, TimeProvider? time = null) =>
        (_grains, _tenant, _retrying) = (grains, tenant, new(retry ?? new(), time ?? TimeProvider.System));

    private LServeClusterClient(IHost connection, LServeClusterOptions options) :
        this(connection.Services.GetRequiredService<IClusterClient>(), options.Tenant, options.Retry) =>
        _connection = connection;

    /// <summary>Connects to a cluster.</summary>
    /// <exception cref="LServeException">No gateway answers.</exception>
    public static async Task<LServeClusterClient> ConnectAsync(LServeClusterOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new();
        var connection = Build(options);
        try
        {
            await connection.StartAsync(cancellation).ConfigureAwait(false);
            return new(connection, options);
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            connection.Dispose();
            var gateways = string.Join(", ", options.Gateways);
            throw new LServeException(
                new(ErrorCode.Overloaded, $"No silo of cluster {options.ClusterId} answers at {gateways} ({problem.Message}). Start one with ./lserve serve --cluster localhost.", Retryable: true),
                problem);
        }
    }

    public IAsyncEnumerable<TurnEvent> SendAsync(string sessionId, TurnRequest request, CancellationToken cancellation = default) =>
        _retrying.TurnAsync(request, (turn, closing) => Grain(sessionId).RunTurnAsync(turn, closing), leave: null, cancellation);

    public Task<SessionInfo?> GetAsync(string sessionId, CancellationToken cancellation = default) =>
        _retrying.CallAsync(() => Grain(sessionId).DescribeAsync(cancellation), cancellation);

    public Task<IReadOnlyList<SessionInfo>> ListAsync(int limit = 100, CancellationToken cancellation = default) =>
        _retrying.CallAsync(() => _grains.ListSessionsAsync(_tenant, limit, cancellation), cancellation);

    public Task<bool> CancelAsync(string sessionId, CancellationToken cancellation = default) =>
        _retrying.CallAsync(() => Grain(sessionId).TryCancelAsync(cancellation), cancellation);

    public Task<bool> ReleaseAsync(string sessionId, CancellationToken cancellation = default) =>
        _retrying.CallAsync(() => Grain(sessionId).TryReleaseAsync(cancellation), cancellation);

    public Task<string?> MigrateAsync(string sessionId, string? silo = null, CancellationToken cancellation = default) => Grain(sessionId).MigrateToAsync(silo, cancellation);

    public Task<bool> DeleteAsync(string sessionId, CancellationToken cancellation = default) => Grain(sessionId).TryDeleteAsync(cancellation);

    public Task<SessionInfo?> RewindAsync(string sessionId, int turn, CancellationToken cancellation = default) =>
        _retrying.CallAsync(() => Grain(sessionId).RewindToAsync(turn, cancellation), cancellation);

    public Task<SessionInfo?> ForkAsync(string sessionId, string to, int? turn = null, AttentionKind? attention = null, CancellationToken cancellation = default) =>
        Grain(sessionId).ForkToAsync(to, turn, attention, cancellation);

    public async ValueTask DisposeAsync()
    {
        if (_connection is null) return;
        await _connection.StopAsync().ConfigureAwait(false);
        _connection.Dispose();
    }

    private ISessionGrain Grain(string sessionId) => _grains.GetSessionGrain(new(_tenant, sessionId));

    private static IHost Build(LServeClusterOptions options)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.UseOrleansClient(client =>
        {
            client.UseStaticClustering([.. options.Gateways]);
            client.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (options.ClusterId, LServeClusterOptions.DefaultName));
            var attempts = 0;
            client.UseConnectionRetryFilter(async (_, stop) =>
            {
                if (++attempts >= options.ConnectAttempts) return false;
                await Task.Delay(s_retryDelay, stop).ConfigureAwait(false);
                return true;
            });
        });
        return builder.Build();
    }
}
