using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using LServe.Tests.Support;

namespace LServe.Tests.Cluster;

/// <summary>The real server of the cluster edition as a process of its own, with a tiny model.</summary>
public sealed class SiloProcess : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);
    private readonly Process _process;
    private readonly TemporaryFile _model;

    private SiloProcess(Process process, TemporaryFile model, string ready, int siloPort, int gatewayPort)
    {
        (_process, _model, SiloPort, GatewayPort) = (process, model, siloPort, gatewayPort);
        Http = new() { BaseAddress = new(ready.Split(' ').First(word => word.StartsWith("http://", StringComparison.Ordinal))), Timeout = s_patience };
    }

    public int SiloPort { get; }
    public int GatewayPort { get; }
    public HttpClient Http { get; }

    /// <param name="primary">The cluster's first silo; null: this is the first.</param>
    public static async Task<SiloProcess> StartAsync(SiloProcess? primary = null)
    {
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var server = Path.Combine(RepositoryFiles.Root, "artifacts", "bin", "LServe.Silo", configuration, "LServe.Silo.dll");
        var model = new TemporaryFile(TinyModel.Bytes());
        var (silo, gateway) = (FreePort(), FreePort());
        var cluster = $"localhost,silo={silo},gateway={gateway}" + (primary is null ? "" : $",primary={primary.SiloPort}");
        var process = Process.Start(new ProcessStartInfo("dotnet", [server, "--port", "0", "--model", model.Path, "--session-dir", "none", "--cluster", cluster])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var ready = await process.StandardOutput.ReadLineAsync().WaitAsync(s_patience);
        if (ready is null) throw new InvalidOperationException("The silo didn't start: " + await process.StandardError.ReadToEndAsync());
        _ = process.StandardError.ReadToEndAsync();
        return new(process, model, ready, silo, gateway);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _model.Dispose();
    }

    public static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
