using LServe.Client;
using LServe.Contracts;
using LServe.Tests.EndToEnd;

namespace LServe.Tests.Chaos;

/// <summary>What clients say, turn by turn, and what a server that nobody disturbs answers.</summary>
internal sealed class Script(string[][] answers)
{
    /// <summary>Turns of a conversation; then a client begins another one.</summary>
    public const int Turns = 8;

    /// <summary>Conversations that differ; clients share them.</summary>
    private const int Parts = 20;

    private const int AnswerTokens = 12;

    public string Answer(int client, int turn) => answers[client % Parts][turn];

    public static TurnRequest Says(int client, int turn) => new()
    {
        TurnId = $"t{turn}",
        Messages = [new(ChatMessage.User, $"part {client % Parts} says {turn}")],
        Sampling = new() { Temperature = 0, MaxTokens = AnswerTokens },
    };

    /// <param name="server">Without a cluster; disposed of in the end.</param>
    public static async Task<Script> RecordAsync(ServerProcess server)
    {
        await using var owned = server;
        using var client = new LServeClient(new LServeClientOptions { Address = server.Address });
        var answers = new string[Parts][];
        for (var part = 0; part < Parts; part++)
        {
            answers[part] = new string[Turns];
            for (var turn = 0; turn < Turns; turn++)
                answers[part][turn] = (await ReadAsync(client.SendAsync("p" + part, Says(part, turn)))).Text;
        }
        return new(answers);
    }

    /// <summary>A whole turn.</summary>
    public static async Task<(string Text, bool Repeated)> ReadAsync(IAsyncEnumerable<TurnEvent> turn)
    {
        var (text, repeated) = (new System.Text.StringBuilder(), false);
        await foreach (var next in turn)
            if (next is TextDelta delta) text.Append(delta.Text);
            else if (next is TurnStarted started) repeated = started.Repeated;
        return (text.ToString(), repeated);
    }
}
