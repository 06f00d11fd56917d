using LServe.Contracts;
using LServe.Inference;
using LServe.Sessions;
using LServe.Stores.Local;

namespace LServe.Bench.Sessions;

/// <summary>How soon the server is ready, and what memory it holds, with a few and with many sessions on disk.</summary>
internal static class ManyPart
{
    private const int Few = 10;

    public static async Task RunAsync(SessionsOptions options, Figures figures)
    {
        foreach (var count in new[] { Few, options.Sessions })
        {
            var folder = Path.Combine(options.Folder, "many");
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
            await MakeAsync(folder, count);
            for (var round = 0; round < options.Rounds; round++)
            {
                await using var server = await BenchServer.StartAsync(options, folder);
                figures.Add($"ready with {count} sessions on disk", "ms", server.StartMs);
                if ((await server.Client.ListAsync(Few)).Count != Few) throw new InvalidOperationException("The list is short.");
                figures.Add($"memory with {count} sessions on disk", "MiB", server.ResidentMiB);
            }
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Sessions of one turn, each with a page file.</summary>
    private static async Task MakeAsync(string folder, int count)
    {
        const int tokens = 200;
        using var store = LocalStore.Open(new() { Folder = folder });
        for (var i = 0; i < count; i++)
        {
            var key = new SessionKey(SessionKey.DefaultTenant, $"session-{i}");
            var record = new KvRecord(new(KvRecordKind.Selection), new byte[100]);
            var place = (await store.Pages.WriteAsync(key, 1, [record]))[0];
            await store.Sessions.SaveAsync(new()
            {
                Key = key, Model = "bench", Tokens = [.. Enumerable.Range(0, tokens)], Runs = [new(tokens, SliceKind.Prefill)],
                Messages = [new(ChatMessage.User, $"What is {i}?", tokens / 2), new(ChatMessage.Assistant, "A number.", tokens)],
                Turns = 1, LastTurn = null, Created = DateTimeOffset.UnixEpoch, LastUsed = DateTimeOffset.UnixEpoch.AddSeconds(i),
                Kv = new Dictionary<KvRecordId, KvLocator> { [record.Id] = place },
            }, null);
        }
    }
}
