using LServe.Sessions;
using LServe.Stores.Local;
using LServe.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LServe.Tests.Cluster;

/// <summary>Three silos in this process with one folder for states and pages.</summary>
public sealed class StoredClusterFixture : ClusterFixture
{
    private readonly TemporaryFolder _folder = new();
    private readonly LocalStore _store;

    public StoredClusterFixture() : base(silos: 3) => _store = LocalStore.Open(new() { Folder = _folder.Path });

    protected override ISessionStore Store => _store.Sessions;

    protected override IKvPageStore Pages => _store.Pages;

    protected override ISessionHost CreateHost(IServiceProvider silo) => silo.GetRequiredService<ISessionHost>();

    protected override async Task StopAsync()
    {
        await base.StopAsync();
        _store.Dispose();
        _folder.Dispose();
    }
}
