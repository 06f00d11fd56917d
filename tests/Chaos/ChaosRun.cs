using LServe.Tests.EndToEnd;
using LServe.Tests.Support;

namespace LServe.Tests.Chaos;

/// <summary>
/// A cluster whose silos are killed, or told to stop, one after another while clients converse; each gets a successor before the next one
/// goes.
/// </summary>
internal sealed class ChaosRun(ChaosOptions options, Action<string>? progress = null)
{
    private const string Memory = "none";

    private readonly ChaosReport _report = new();
    private readonly Random _random = new(options.Seed);

    public async Task<ChaosReport> RunAsync()
    {
        using var model = new TemporaryFile(TinyModel.Bytes());
        var script = await Script.RecordAsync(await ServerProcess.StartAsync([.. SiloFleet.CommonOptions(model.Path), "--session-dir", Memory]));
        await using var azurite = await Azurite.StartAsync();
        await using var fleet = new SiloFleet(options, azurite, model.Path, "chaos" + Guid.NewGuid().ToString("N")[..12]);
        // One after another, so that the first one's table of members is there for the others.
        for (var i = 0; i < options.Silos; i++) await fleet.StartAsync();
        progress?.Invoke($"{fleet.Count} silos");

        using var stop = new CancellationTokenSource();
        var clients = Enumerable.Range(0, options.Sessions)
            .Select(i => new ChaosClient(i, script, fleet, new Random(options.Seed + i), options.Think, _report)).ToArray();
        var talking = Task.WhenAll(clients.Select(client => Task.Run(() => client.TalkAsync(stop.Token))));
        await DisturbAsync(fleet);
        await stop.CancelAsync();
        await talking;
        await Task.WhenAll(clients.Select(client => client.CheckAsync()));
        return _report;
    }

    private async Task DisturbAsync(SiloFleet fleet)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            await Task.Delay(TimeSpan.FromSeconds(options.KillSeconds.Least + _random.NextDouble() * (options.KillSeconds.Most - options.KillSeconds.Least)));
            var at = TimeProvider.System.GetElapsedTime(began);
            if (at >= options.Duration) return;
            var silos = fleet.Clients;
            var gone = silos[_random.Next(silos.Count)].Key;
            var sessions = await fleet.SessionsAsync(gone);
            var stopped = await EndAsync(fleet, gone);
            var end = TimeProvider.System.GetTimestamp();
            await fleet.StartAsync();
            _report.Left(new(gone, at.TotalSeconds, sessions, stopped, TimeProvider.System.GetElapsedTime(end).TotalSeconds));
            progress?.Invoke($"{at.TotalSeconds:F0} s: silo {gone} left with {sessions} sessions; {_report.Acknowledged} turns, {_report.CutStreams} cut, {_report.Violations.Count} promises broken");
        }
    }

    /// <summary>Seconds to its end if it was told to stop, else null.</summary>
    private async Task<double?> EndAsync(SiloFleet fleet, int silo)
    {
        if (!options.Drain)
        {
            await fleet.KillAsync(silo);
            return null;
        }
        var (took, code) = await fleet.StopAsync(silo);
        if (code != 0) _report.Violate($"Silo {silo} ended with code {code} when it was told to stop.");
        return took.TotalSeconds;
    }
}
