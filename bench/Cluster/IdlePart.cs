using LServe.Contracts;
using LServe.Model;
using LServe.Sessions;
using LServe.Tests.Support;

namespace LServe.Bench.Cluster;

/// <summary>Memory of sessions that had a turn and wait for the next, their pages freed meanwhile; what the store in memory keeps counts as well.</summary>
internal static class IdlePart
{
    private const int AtOnce = 64;
    private const double KiB = 1 << 10;

    public static async Task RunAsync(ClusterOptions options, Figures figures)
    {
        using var file = new TemporaryFile(TinyModel.Bytes());
        using var model = ModelFile.Open(file.Path);
        await using var silo = await BenchSilo.StartAsync(model, LatencyPart.EngineFor(model), new InMemorySessionStore(2 * options.Grains + AtOnce), null);
        // What is made once, by the first sessions, isn't counted.
        await SayAsync(silo, Enumerable.Range(-AtOnce, AtOnce));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await SayAsync(silo, Enumerable.Range(0, options.Grains));
        var active = silo.Sessions.Status.Sessions - AtOnce;
        figures.Add($"{active} active idle sessions, each", "KiB", (GC.GetTotalMemory(forceFullCollection: true) - before) / KiB / active);
    }

    private static Task SayAsync(BenchSilo silo, IEnumerable<int> sessions) => Parallel.ForEachAsync(
        sessions, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, cancellation) =>
        {
            var turn = new TurnRequest { Messages = [new(ChatMessage.User, "hello")], Sampling = new() { Temperature = 0, MaxTokens = 8 } };
            await foreach (var _ in silo.Sessions.SendAsync(new(SessionKey.DefaultTenant, "s" + i), turn, cancellation))
            {
            }
        });
}
