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
    private readonly IHost? _connection;

    /// <param name="grains">A connection that stays the caller's, such as a silo's or an application's own.</param>
    public LServeClusterClient(IGrainFactory grains, string tenant = SessionKey.DefaultTenant) => (_grains, _tenant) = (grains, tenant);

    private LServeClusterClient(IHost connection, string tenant) : this(connection.Services.GetRequiredService<IClusterClient>(), tenant) =>
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
            return new(connection, options.Tenant);
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
        Grain(sessionId).RunTurnAsync(request, cancellation);

    public Task<SessionInfo?> GetAsync(string sessionId, CancellationToken cancellation = default) =>
        Grain(sessionId).DescribeAsync(cancellation);

    public Task<IReadOnlyList<SessionInfo>> ListAsync(int limit = 100, CancellationToken cancellation = default) =>
        _grains.ListSessionsAsync(_tenant, limit, cancellation);

    public Task<bool> CancelAsync(string sessionId, CancellationToken cancellation = default) => Grain(sessionId).TryCancelAsync(cancellation);

    public Task<bool> ReleaseAsync(string sessionId, CancellationToken cancellation = default) => Grain(sessionId).TryReleaseAsync(cancellation);

    public Task<string?> MigrateAsync(string sessionId, string? silo = null, CancellationToken cancellation = default) => Grain(sessionId).MigrateToAsync(silo, cancellation);

    public Task<bool> DeleteAsync(string sessionId, CancellationToken cancellation = default) => Grain(sessionId).TryDeleteAsync(cancellation);

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
