using System.Net;
using System.Net.Sockets;
using LServe.Grains;
using LServe.Inference;
using LServe.Model;
using LServe.Sessions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Hosting;

namespace LServe.Bench.Cluster;

/// <summary>A silo in this process.</summary>
internal sealed class BenchSilo : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly Engine _engine;

    private BenchSilo(IHost host, Engine engine, int siloPort, int gatewayPort) => (_host, _engine, SiloPort, GatewayPort) = (host, engine, siloPort, gatewayPort);

    public int SiloPort { get; }
    public int GatewayPort { get; }
    public ISessionHost Sessions => _host.Services.GetRequiredService<ISessionHost>();
    public string Name => _host.Services.GetRequiredService<SessionEnvironment>().Activity.Silo.Name;

    /// <param name="engine">Becomes the silo's.</param>
    /// <param name="primary">The cluster's first silo; null: this is the first.</param>
    public static async Task<BenchSilo> StartAsync(ModelFile model, Engine engine, ISessionStore store, IKvPageStore? pages, BenchSilo? primary = null)
    {
        var (siloPort, gatewayPort) = (FreePort(), FreePort());
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Logging.SetMinimumLevel(LogLevel.Error);
        builder.Services.AddSingleton(SessionEnvironment.For(model, engine, store) with { Pages = pages, SharedStores = true });
        builder.UseOrleans(silo => silo
            .UseLocalhostClustering(siloPort, gatewayPort, primary is null ? null : new IPEndPoint(IPAddress.Loopback, primary.SiloPort), "lserve", "lserve")
            .AddLServeSessions());
        var host = builder.Build();
        await host.StartAsync();
        return new(host, engine, siloPort, gatewayPort);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
        _engine.Dispose();
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
