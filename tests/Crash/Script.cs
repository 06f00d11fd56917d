using LServe.Tests.EndToEnd;

namespace LServe.Tests.Crash;

/// <summary>What each client says, turn by turn, and what a server that was never killed answers.</summary>
internal sealed class Script(string[][] answers)
{
    /// <summary>Turns of a conversation; then a client begins another one.</summary>
    public const int Turns = 6;

    /// <summary>Some 200 tokens of a tiny model, so that a conversation becomes longer than what sparse heads read of it.</summary>
    public static string Says(int client, int turn) =>
        $"client {client} says in turn {turn}: {string.Join(' ', Enumerable.Range(1, 45).Select(i => i * (client + 3) * (turn + 7)))}";

    public string Answer(int client, int turn) => answers[client][turn];

    /// <param name="server">Disposed of in the end.</param>
    public static async Task<Script> RecordAsync(int clients, ServerProcess server)
    {
        await using var owned = server;
        var answers = new string[clients][];
        for (var client = 0; client < clients; client++)
        {
            answers[client] = new string[Turns];
            for (var turn = 0; turn < Turns; turn++)
                answers[client][turn] = (await TurnCall.SendAsync(server.Http, $"c{client}", $"t{turn}", Says(client, turn))).Text;
        }
        return new(answers);
    }
}
