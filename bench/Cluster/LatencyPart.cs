using System.Diagnostics;
using System.Net;
using LServe.Client;
using LServe.Contracts;
using LServe.Embedded;
using LServe.Inference;
using LServe.Model;
using LServe.Sessions;
using LServe.Tests.Support;

namespace LServe.Bench.Cluster;

/// <summary>A turn over a gateway beside one of the embedded host, turn by turn, on engines that compute nothing.</summary>
internal static class LatencyPart
{
    private const int WarmUp = 50;
    private const double Microseconds = 1e6, Milliseconds = 1e3;

    public static async Task RunAsync(ClusterOptions options, Figures figures)
    {
        using var file = new TemporaryFile(TinyModel.Bytes(new() { ContextLength = 4096 }));
        using var model = ModelFile.Open(file.Path);
        using var engine = EngineFor(model);
        await using var embedded = new EmbeddedSessionHost(SessionEnvironment.For(model, engine, new InMemorySessionStore()));
        await using var silo = await BenchSilo.StartAsync(model, EngineFor(model), new InMemorySessionStore(), null);
        await using var client = await LServeClusterClient.ConnectAsync(new() { Gateways = [new(IPAddress.Loopback, silo.GatewayPort)] });
        (string Name, Func<string, TurnRequest, IAsyncEnumerable<TurnEvent>> Send)[] sides =
        [
            ("embedded", (session, turn) => embedded.SendAsync(new(SessionKey.DefaultTenant, session), turn)),
            ("cluster, over a gateway", (session, turn) => client.SendAsync(session, turn)),
            ("cluster, within the silo", (session, turn) => silo.Sessions.SendAsync(new(SessionKey.DefaultTenant, session), turn)),
        ];
        for (var i = -WarmUp; i < options.Turns; i++)
            foreach (var (name, send) in sides)
            {
                var (first, perToken) = await MeasureAsync(send($"{name} {i}", Turn(options)), options.Answer);
                if (i < 0) continue;
                figures.Note($"{name}: to the first token", "ms", first * Milliseconds);
                figures.Note($"{name}: a further token", "us", perToken * Microseconds);
            }
        foreach (var (name, _) in sides)
        {
            figures.Show($"{name}: to the first token", "ms");
            figures.Show($"{name}: a further token", "us");
        }
    }

    public static Engine EngineFor(ModelFile model) => new(new FakeBackend(), model.Config, model.Weights, model.Tokenizer.EndTokens, new());

    private static TurnRequest Turn(ClusterOptions options) => new()
    {
        Messages = [new(ChatMessage.User, "hello")], Sampling = new() { Temperature = 0, MaxTokens = options.Answer, IgnoreEnd = true },
    };

    private static async Task<(double First, double PerToken)> MeasureAsync(IAsyncEnumerable<TurnEvent> turn, int tokens)
    {
        var (begin, first, last) = (Stopwatch.GetTimestamp(), 0L, 0L);
        await foreach (var happened in turn)
            if (happened is TextDelta)
            {
                last = Stopwatch.GetTimestamp();
                if (first == 0) first = last;
            }
        return (Stopwatch.GetElapsedTime(begin, first).TotalSeconds, Stopwatch.GetElapsedTime(first, last).TotalSeconds / (tokens - 1));
    }
}
