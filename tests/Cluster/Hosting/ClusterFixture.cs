using LServe.Contracts;
using LServe.Grains;
using LServe.Sessions;
using LServe.Tests.Contracts;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.TestingHost;

namespace LServe.Tests.Cluster;

/// <summary>Silos in this process, each with an engine of its own; the store is one for all.</summary>
public abstract class ClusterFixture(short silos, SessionGrainOptions? options = null, TimeSpan? responseTimeout = null) : SessionHostFixture
{
    private InProcessTestCluster? _cluster;
    private ISessionHost? _host;

    public override ISessionHost Host => _host!;

    public IClusterClient Client => _cluster!.Client;

    public IReadOnlyList<InProcessSiloHandle> Silos => _cluster!.Silos;

    public override async Task InitializeAsync()
    {
        var builder = new InProcessTestClusterBuilder(silos);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSingleton(CreateSiloEnvironment());
            silo.AddLServeSessions(options);
            if (responseTimeout is { } timeout) silo.Configure<SiloMessagingOptions>(o => o.ResponseTimeout = timeout);
        });
        _cluster = builder.Build();
        await _cluster.DeployAsync();
        _host = CreateHost(_cluster.Silos[0].ServiceProvider);
    }

    public override async Task EvictIdleAsync() => await Client.GetGrain<IManagementGrain>(0).ForceActivationCollection(TimeSpan.Zero);

    /// <summary>Stops a silo as one that is told to.</summary>
    public Task StopAsync(InProcessSiloHandle silo) => _cluster!.StopSiloAsync(silo);

    public ISessionGrain Grain(SessionKey key) => Client.GetSessionGrain(key);

    /// <summary>What one silo's sessions share.</summary>
    protected virtual SessionEnvironment CreateSiloEnvironment() => CreateEnvironment();

    /// <summary>The host under test, made from what the first silo offers.</summary>
    protected abstract ISessionHost CreateHost(IServiceProvider silo);

    protected override async Task StopAsync()
    {
        await _cluster!.StopAllSilosAsync();
        await _cluster.DisposeAsync();
    }
}

/// <summary>One silo, reached by a client through its gateway.</summary>
public sealed class OneSiloFixture() : ClusterFixture(silos: 1)
{
    protected override ISessionHost CreateHost(IServiceProvider silo) => SessionSiloExtensions.CreateHost(silo, Client);
}

/// <summary>Three silos; the API is on the first.</summary>
public sealed class ThreeSiloFixture() : ClusterFixture(silos: 3)
{
    protected override ISessionHost CreateHost(IServiceProvider silo) => silo.GetRequiredService<ISessionHost>();
}
