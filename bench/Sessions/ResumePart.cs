namespace LServe.Bench.Sessions;

/// <summary>A long session: what its turns write, and how soon it answers after a kill, beside reading it again from nothing.</summary>
internal static class ResumePart
{
    private const double KiB = 1 << 10;

    public static async Task RunAsync(SessionsOptions options, Figures figures)
    {
        var folder = Path.Combine(options.Folder, "resume");
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        var (answer, salt) = (options.Turn / 2, 0);
        await using (var server = await BenchServer.StartAsync(options, folder))
        {
            var (first, all, usage) = await server.SayAsync("long", options.Context, 1, ++salt);
            figures.Add($"first token of {usage.PromptTokens} tokens from nothing", "ms", first);
            figures.Add("that turn until it is committed", "ms", all);
            for (var round = 0; round < options.Rounds; round++)
            {
                var (files, written) = (BytesOf(folder), server.WrittenBytes);
                (first, _, usage) = await server.SayAsync("long", options.Turn - answer, answer, ++salt);
                figures.Add("first token of a further turn, the session in memory", "ms", first);
                figures.Add($"files grow by a turn of {options.Turn} tokens at {options.Context}", "KiB", (BytesOf(folder) - files) / KiB);
                figures.Add($"written by a turn of {options.Turn} tokens at {options.Context}", "KiB", (server.WrittenBytes - written) / KiB);
            }
        }
        for (var round = 0; round < options.Rounds; round++)
        {
            await using var server = await BenchServer.StartAsync(options, folder);
            // A first turn of any kind compiles what all turns run; a server that has been up for a minute has done that.
            await server.SayAsync("other", 16, 4, ++salt);
            var (first, _, usage) = await server.SayAsync("long", options.Turn - answer, answer, ++salt);
            figures.Add("first token after a kill, the session restored", "ms", first);
            figures.Add("tokens restored", "tokens", usage.RestoredTokens);
            figures.Add("tokens computed again", "tokens", usage.RecomputedTokens);
        }
        Directory.Delete(folder, recursive: true);
    }

    private static long BytesOf(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
}
