using LServe.Client;
using LServe.Contracts;
using LServe.Tests.Support;

namespace LServe.Tests.EndToEnd;

/// <summary>The .NET client on connections that break, with a server that is slow enough to be in the middle of its answer then.</summary>
public sealed class ResumedTurnTests : IAsyncLifetime
{
    private const int Tokens = 120;

    private readonly TemporaryFile _model = new(TinyModel.Bytes(new() { HiddenSize = 256, FeedForwardSize = 512, Layers = 4 }));
    private ServerProcess _server = null!;

    public async Task InitializeAsync() => _server = await ServerProcess.StartAsync("--model", _model.Path, "--threads", "1", "--backend", "reference");

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _model.Dispose();
    }

    [Fact]
    public async Task ATurnWhoseConnectionBreaksOverAndOverIsReadWholeAndRunsOnce()
    {
        var (expected, undisturbed) = await ReadAsync(new LServeClient(new LServeClientOptions { Address = _server.Address }), "undisturbed");
        await using var proxy = new CuttingProxy(_server.Address, 400, 700, 1_500, 2_500);
        var (text, usage) = await ReadAsync(new LServeClient(new LServeClientOptions { Address = proxy.Address, Retry = new() { Delay = TimeSpan.FromMilliseconds(20) } }), "cut");

        Assert.Equal(4, proxy.Cut);
        Assert.Equal(expected, text);
        Assert.Equal((Tokens, undisturbed.SessionTokens), (usage.CompletionTokens, usage.SessionTokens));
        using var client = new LServeClient(new LServeClientOptions { Address = _server.Address });
        Assert.Equal((1, text), ((await client.GetAsync("cut"))!.Turns, (await client.GetAsync("cut"))!.Messages[^1].Content));
    }

    [Fact]
    public async Task WhoeverLeavesKeepsWhatTheyGotAndTheTurnEndsThere()
    {
        using var client = new LServeClient(new LServeClientOptions { Address = _server.Address });
        var got = "";
        await foreach (var happened in client.SendAsync("left", Say(400)))
        {
            if (happened is TextDelta delta) got += delta.Text;
            if (got.Length > 20) break;
        }
        SessionInfo? kept;
        while ((kept = await client.GetAsync("left")) is null or { State: "running" }) await Task.Delay(TimeSpan.FromMilliseconds(5));

        // What was on its way when it left was sent, too.
        Assert.StartsWith(got, kept.Messages[^1].Content);
        Assert.Equal(1, kept.Turns);
    }

    private static async Task<(string Text, TurnUsage Usage)> ReadAsync(LServeClient client, string session)
    {
        using (client)
        {
            var (text, usage) = ("", (TurnUsage?)null);
            await foreach (var happened in client.SendAsync(session, Say(Tokens)))
                if (happened is TextDelta delta) text += delta.Text;
                else if (happened is TurnCompleted completed) usage = completed.Usage;
            return (text, usage!);
        }
    }

    private static TurnRequest Say(int tokens) => new()
    {
        Messages = [new(ChatMessage.User, "Tell me a long story.")], Sampling = new() { Temperature = 0, MaxTokens = tokens, IgnoreEnd = true },
    };
}
