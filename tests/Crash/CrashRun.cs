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
        "compact.write", "compact.sync", "compact.rename", "compact.folder-sync", "compact.delete", "journal.reset",
    ];

    /// <summary>Room for all turns of a conversation, several budgets of sparse attention long.</summary>
    private static readonly TinyModelOptions s_model = new() { ContextLength = 4096 };

    private readonly Random _random = new(seed);
    private readonly Dictionary<string, int> _atPoints = [];
    private string[] _pattern = [];

    public async Task<CrashReport> RunAsync(Action<int>? progress = null)
    {
        using var model = new TemporaryFile(TinyModel.Bytes(s_model));
        using var sessions = new TemporaryFolder();
        using var pattern = new TemporaryFolder();
        WritePattern(pattern.Path);
        _pattern = options.Contains("lserve") ? ["--pattern", pattern.Path] : [];
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
        if (await StartUntilAsync(model, sessions.Path, point) is not { } started) return;
        await using var server = started;
        foreach (var client in clients) await client.CheckAsync(server.Http);
        var talking = Task.WhenAll(clients.Select(client => client.TalkAsync(server.Http)));
        if (point is null) await Task.Delay(_random.Next(LatestKill));
        else if (await server.WaitForEndAsync(s_patience)) Count(point);
        await server.KillAsync();
        await talking;
    }

    /// <summary>Null: the server came to its point while it started. Every other start has none, and must succeed.</summary>
    private async Task<ServerProcess?> StartUntilAsync(TemporaryFile model, string sessions, string? point)
    {
        if (point is null) return await StartAsync(model, sessions);
        try
        {
            return await StartAsync(model, sessions, ("LSERVE_TEST_CRASH_AT", $"{point}:{1 + _random.Next(2 * Clients)}"));
        }
        catch (InvalidOperationException)
        {
            Count(point);
            return null;
        }
    }

    private void Count(string point) => _atPoints[point] = _atPoints.GetValueOrDefault(point) + 1;

    private Task<ServerProcess> StartAsync(TemporaryFile model, string folder, params (string, string)[] variables) => ServerProcess.StartAsync(
        ["--model", model.Path, "--threads", "1", "--backend", "cpu", "--session-dir", folder, "--keep-turns", "1", .. _pattern, .. options], variables);

    /// <summary>The first KV head of each layer streams.</summary>
    private static void WritePattern(string folder)
    {
        File.WriteAllText(Path.Combine(folder, "full_attention_heads.tsv"), string.Concat(Enumerable.Repeat("0\t1\n", s_model.Layers)));
        File.WriteAllText(Path.Combine(folder, "config.json"), """{"sink_size": 16, "recent_size": 64, "share": 0.5}""");
    }
}
