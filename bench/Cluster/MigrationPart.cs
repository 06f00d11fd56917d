using System.Diagnostics;
using LServe.Contracts;
using LServe.Cpu;
using LServe.Inference;
using LServe.Model;
using LServe.Sessions;
using LServe.Stores.Local;
using LServe.Tests.Support;

namespace LServe.Bench.Cluster;

/// <summary>
/// A session to and fro between two silos of one machine: from asking to its pages being in the other one's memory. A twin that stays says what its turns
/// have to answer.
/// </summary>
internal static class MigrationPart
{
    private const int Answer = 8;

    /// <summary>Tokens that further turns take of the context.</summary>
    private const int Spare = 2048;

    public static async Task RunAsync(ClusterOptions options, Figures figures)
    {
        using var file = new TemporaryFile(options.Model is null ? TinyModel.Bytes(new() { ContextLength = options.Context + Spare }) : []);
        using var model = ModelFile.Open(options.Model ?? file.Path);
        if (Directory.Exists(options.Folder)) Directory.Delete(options.Folder, recursive: true);
        using (var store = LocalStore.Open(new() { Folder = options.Folder }))
        {
            await using var first = await BenchSilo.StartAsync(model, EngineFor(model, options), store.Sessions, store.Pages);
            await using var second = await BenchSilo.StartAsync(model, EngineFor(model, options), store.Sessions, store.Pages, first);
            await MoveAsync(options, figures, first);
        }
        Directory.Delete(options.Folder, recursive: true);
    }

    private static async Task MoveAsync(ClusterOptions options, Figures figures, BenchSilo first)
    {
        var (moves, stays) = (Key("moves"), Key("stays"));
        foreach (var key in new[] { moves, stays }) await SayAsync(first, key, options.Context, salt: 0);
        // The first way there and back compiles what all take.
        for (var way = 0; way < 2; way++) await first.Sessions.MigrateAsync(moves);
        for (var round = 0; round < options.Rounds; round++)
        {
            var begin = Stopwatch.GetTimestamp();
            await first.Sessions.MigrateAsync(moves);
            figures.Note("a migration", "ms", Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
            figures.Note("tokens in memory on arrival", "tokens", (await first.Sessions.GetAsync(moves))!.CachedTokens);
            var (text, usage) = await SayAsync(first, moves, 1, round + 1);
            var (expected, _) = await SayAsync(first, stays, 1, round + 1);
            if (text != expected) throw new InvalidOperationException($"The migrated session says '{text}' and its twin '{expected}'.");
            figures.Note("tokens computed again", "tokens", usage.RecomputedTokens);
        }
        figures.Show("a migration", "ms");
        figures.Show("tokens in memory on arrival", "tokens");
        figures.Show("tokens computed again", "tokens");
    }

    private static Engine EngineFor(ModelFile model, ClusterOptions options) => new(
        new CpuBackend(new CpuOptions { Threads = options.Threads }), model.Config, model.Weights, model.Tokenizer.EndTokens,
        new() { ContextLength = Math.Min(model.Config.ContextLength, options.Context + Spare), KvTokens = 3 * (options.Context + Spare) });

    private static SessionKey Key(string session) => new(SessionKey.DefaultTenant, session);

    private static async Task<(string Text, TurnUsage Usage)> SayAsync(BenchSilo silo, SessionKey key, int prompt, int salt)
    {
        var request = new TurnRequest
        {
            PromptTokens = [.. Enumerable.Range(0, prompt).Select(i => 40 + (i * 7919 + salt * 104_729) % 200)],
            Sampling = new() { Temperature = 0, MaxTokens = Answer, IgnoreEnd = true },
        };
        var text = new System.Text.StringBuilder();
        await foreach (var happened in silo.Sessions.SendAsync(key, request))
            if (happened is TextDelta delta) text.Append(delta.Text);
            else if (happened is TurnCompleted completed) return (text.ToString(), completed.Usage);
        throw new InvalidOperationException("The turn has no end.");
    }
}
