using LServe.Tests.EndToEnd;
using LServe.Tests.Support;

namespace LServe.Tests.Crash;

/// <summary>What a run saw.</summary>
/// <param name="Acknowledged">Turns whose end a client read.</param>
/// <param name="Cut">Turns in progress when the server was killed.</param>
/// <param name="CommittedUnread">Of these, turns that were committed before the client could read so.</param>
/// <param name="AtPoints">Kills by the point at which the server ended itself; the others came from outside at random instants.</param>
internal sealed record CrashReport(int Kills, int Acknowledged, int Cut, int CommittedUnread, IReadOnlyDictionary<string, int> AtPoints);

/// <summary>
/// The real server, killed again and again while clients talk: after every restart no acknowledged turn is missing, the turn that was
/// in progress is there whole or not at all, and answers are those of a server that was never killed.
/// </summary>
internal sealed class CrashRun(int kills, int seed, IReadOnlyList<string> options)
{
    /// <summary>Clients that talk at once, each in a session of its own.</summary>
    private const int Clients = 3;

    /// <summary>Milliseconds: latest instant, after the clients began, of a kill from outside.</summary>
    private const int LatestKill = 500;

    /// <summary>Time after which a server that doesn't reach its point is killed all the same.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    /// <summary>Points of the stores, in the spelling of the variable that arms them.</summary>
    private static readonly string[] s_points =
    [
        "pages.write", "pages.sync", "pages.folder-sync", "state.begin", "journal.write", "journal.sync", "state.commit", "state.committed",
        "compact.write", "compact.sync", "compact.rename", "compact.folder-sync", "compact.delete",
    ];

    private readonly Random _random = new(seed);
    private readonly Dictionary<string, int> _atPoints = [];

    public async Task<CrashReport> RunAsync(Action<int>? progress = null)
    {
        using var model = new TemporaryFile(TinyModel.Bytes());
        using var sessions = new TemporaryFolder();
        var script = await Script.RecordAsync(Clients, await StartAsync(model, "none"));
        var clients = Enumerable.Range(0, Clients).Select(client => new CrashClient(client, script)).ToArray();
        for (var kill = 0; kill < kills; kill++)
        {
            await KillOnceAsync(model, sessions, clients, kill);
            progress?.Invoke(kill + 1);
        }
        await using (var last = await StartAsync(model, sessions.Path))
            foreach (var client in clients) await client.CheckAsync(last.Http);
        return new(kills, clients.Sum(c => c.Acknowledged), clients.Sum(c => c.Cut), clients.Sum(c => c.CommittedUnread), _atPoints);
    }

    private async Task KillOnceAsync(TemporaryFile model, TemporaryFolder sessions, CrashClient[] clients, int kill)
    {
        var point = kill % 2 == 0 ? null : s_points[_random.Next(s_points.Length)];
        await using var server = await StartAsync(
            model, sessions.Path, point is null ? [] : [("LSERVE_TEST_CRASH_AT", $"{point}:{1 + _random.Next(2 * Clients)}")]);
        foreach (var client in clients) await client.CheckAsync(server.Http);
        var talking = Task.WhenAll(clients.Select(client => client.TalkAsync(server.Http)));
        if (point is null) await Task.Delay(_random.Next(LatestKill));
        else if (await server.WaitForEndAsync(s_patience)) _atPoints[point] = _atPoints.GetValueOrDefault(point) + 1;
        await server.KillAsync();
        await talking;
    }

    private Task<ServerProcess> StartAsync(TemporaryFile model, string folder, params (string, string)[] variables) => ServerProcess.StartAsync(
        ["--model", model.Path, "--threads", "1", "--backend", "cpu", "--session-dir", folder, "--keep-turns", "1", .. options], variables);
}
