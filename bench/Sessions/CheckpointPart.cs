using System.Diagnostics;

namespace LServe.Bench.Sessions;

/// <summary>Tokens per second of sessions that answer at once, turn after turn, with their turns saved and without.</summary>
internal static class CheckpointPart
{
    private const int Turns = 3, Prompt = 16;

    public static async Task RunAsync(SessionsOptions options, Figures figures)
    {
        for (var round = 0; round < options.Rounds; round++)
        {
            var folder = Path.Combine(options.Folder, "checkpoint");
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
            // In turns, and each other round the other way round, so that neither has the cooler machine.
            var with = round % 2 == 0 ? await MeasureAsync(options, folder) : 0;
            var without = await MeasureAsync(options, "none");
            if (round % 2 == 1) with = await MeasureAsync(options, folder);
            figures.Add($"{options.Streams} sessions, not saved", "tokens/s", without);
            figures.Add($"{options.Streams} sessions, saved", "tokens/s", with);
            figures.Add("cost of saving", "%", 100 * (1 - with / without));
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<double> MeasureAsync(SessionsOptions options, string folder)
    {
        await using var server = await BenchServer.StartAsync(options, folder);
        await Task.WhenAll(Enumerable.Range(0, options.Streams).Select(i => server.SayAsync($"s{i}", Prompt, Prompt, i)));
        var begin = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, options.Streams).Select(async i =>
        {
            for (var turn = 0; turn < Turns; turn++) await server.SayAsync($"s{i}", Prompt, options.Answer, turn);
        }));
        return options.Streams * Turns * options.Answer / Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }
}
