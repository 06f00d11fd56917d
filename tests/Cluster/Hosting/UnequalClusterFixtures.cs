using LServe.Sessions;
using Microsoft.Extensions.DependencyInjection;

namespace LServe.Tests.Cluster;

/// <summary>Four silos, two of each model.</summary>
public sealed class TwoModelsFixture() : ClusterFixture(silos: 4)
{
    public const string OtherContent = "another model's";

    private int _made;

    protected override SessionEnvironment CreateSiloEnvironment()
    {
        var environment = CreateEnvironment();
        return Interlocked.Increment(ref _made) % 2 == 0 ? environment : environment with { Fingerprint = environment.Fingerprint! with { Content = OtherContent } };
    }

    protected override ISessionHost CreateHost(IServiceProvider silo) => silo.GetRequiredService<ISessionHost>();
}

/// <summary>Three silos, each with a store of its own.</summary>
public sealed class OwnStoresFixture() : ClusterFixture(silos: 3)
{
    protected override SessionEnvironment CreateSiloEnvironment() => CreateEnvironment() with { Store = new InMemorySessionStore(), SharedStores = false };

    protected override ISessionHost CreateHost(IServiceProvider silo) => silo.GetRequiredService<ISessionHost>();
}
