using LServe.Sessions;
using Microsoft.Extensions.Hosting;
using Orleans.Runtime;

namespace LServe.Grains;

/// <summary>Gives this silo the name that its cluster knows, unless a server that listens for callers gives it another.</summary>
internal sealed class SiloNaming(SessionEnvironment environment, ILocalSiloDetails silo) : IHostedService
{
    private const string Edition = "cluster";

    public Task StartAsync(CancellationToken cancellation)
    {
        environment.Activity.Silo = new(silo.Name, null, Edition);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellation) => Task.CompletedTask;
}
