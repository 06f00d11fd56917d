using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using LServe.Client;
using LServe.Tests.EndToEnd;
using LServe.Tests.Support;

namespace LServe.Tests.Chaos;

/// <summary>The silos of a cluster as processes of their own, with one store and one table of members.</summary>
internal sealed class SiloFleet(ChaosOptions options, Azurite azurite, string model, string name) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<int, (ServerProcess Process, LServeClient Client)> _silos = new();
    private int _started;

    public int Count => _silos.Count;

    /// <summary>Silos that weren't told to go, by number.</summary>
    public IReadOnlyList<KeyValuePair<int, LServeClient>> Clients => [.. _silos.Select(silo => KeyValuePair.Create(silo.Key, silo.Value.Client))];

    public async Task<int> StartAsync()
    {
        var number = Interlocked.Increment(ref _started);
        var provider = options.Postgres is null ? "azure" : "adonet";
        var process = await ServerProcess.StartAsync(
            [.. CommonOptions(model), "--session-dir", "none", "--store", "azure=LSERVE_CHAOS_STORE", "--store-container", name,
             "--cluster", $"{provider},silo={FreePort()},gateway={FreePort()},id={name},probe=1,misses=2"],
            ("LSERVE_CHAOS_STORE", azurite.ConnectionString), ("LSERVE_CLUSTER_CONNECTION", options.Postgres ?? azurite.ConnectionString));
        _silos[number] = (process, new LServeClient(new LServeClientOptions { Address = process.Address, Retry = RetryOptions.None }));
        return number;
    }

    /// <summary>Sessions in a silo's memory.</summary>
    public async Task<int> SessionsAsync(int number)
    {
        var stats = await _silos[number].Process.Http.GetFromJsonAsync<JsonElement>("stats");
        return stats.GetProperty("sessions").GetInt32();
    }

    /// <summary>Ends a silo with no chance to do anything about it.</summary>
    public async Task KillAsync(int number)
    {
        if (!_silos.TryRemove(number, out var silo)) return;
        await silo.Process.KillAsync();
        await silo.Process.DisposeAsync();
    }

    /// <summary>Tells a silo to stop; how long it took, and its exit code.</summary>
    public async Task<(TimeSpan Took, int Code)> StopAsync(int number)
    {
        if (!_silos.TryRemove(number, out var silo)) return default;
        var began = TimeProvider.System.GetTimestamp();
        var code = await silo.Process.TerminateAsync();
        var took = TimeProvider.System.GetElapsedTime(began);
        await silo.Process.DisposeAsync();
        return (took, code);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var number in _silos.Keys) await KillAsync(number);
    }

    /// <summary>Options of every server, in a cluster or not, so that all compute the same.</summary>
    public static string[] CommonOptions(string model) => ["--model", model, "--threads", "1", "--backend", "cpu", "--log-level", "error"];

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
