using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using LServe.Tests.Support;

namespace LServe.Tests.EndToEnd;

/// <summary>Sessions outlive the server's process, however it ends.</summary>
public sealed class DurableSessionTests : IDisposable
{
    private readonly TemporaryFile _model = new(TinyModel.Bytes());
    private readonly TemporaryFolder _sessions = new();

    public void Dispose()
    {
        _model.Dispose();
        _sessions.Dispose();
    }

    [Fact]
    public async Task AfterAKillTheConversationGoesOnWithTheSameTokens()
    {
        string[] turns = ["one", "two", "three", "four"];
        var expected = new List<string>();
        await using (var undisturbed = await StartAsync("none"))
            foreach (var turn in turns) expected.Add(TextOf(await SayAsync(undisturbed, turn)));

        var answers = new List<string>();
        foreach (var turn in turns)
        {
            await using var server = await StartAsync(_sessions.Path);
            var answer = await SayAsync(server, turn);
            answers.Add(TextOf(answer));
            Assert.Equal(turn == turns[0], (int)answer["usage"]!["lserve"]!["restored_tokens"]! + (int)answer["usage"]!["lserve"]!["recomputed_tokens"]! == 0);
            await server.KillAsync();
        }

        Assert.Equal(expected, answers);
        await using var last = await StartAsync(_sessions.Path);
        var kept = JsonNode.Parse(await last.Http.GetStringAsync("v1/sessions/s"))!;
        Assert.Equal(4, (int)kept["turns"]!);
        Assert.Equal(answers, kept["messages"]!.AsArray().Where(m => (string?)m!["role"] == "assistant").Select(m => (string)m!["content"]!));
        Assert.Single(JsonNode.Parse(await last.Http.GetStringAsync("v1/sessions"))!["data"]!.AsArray());
    }

    [Fact]
    public async Task ASecondServerOnTheSameFolderIsRefused()
    {
        await using var first = await StartAsync(_sessions.Path);
        var (code, output, errors) = await ServerProcess.RunToEndAsync("--port", "0", "--model", _model.Path, "--session-dir", _sessions.Path);

        Assert.Equal((2, ""), (code, output));
        Assert.Contains("in use by another process", errors);
        Assert.Contains("--session-dir", errors);
    }

    [Theory]
    [InlineData("state.begin:1", false)]
    [InlineData("state.commit:1", false)]
    [InlineData("state.committed:1", true)]
    public async Task KilledAroundTheCommitTheTurnIsThereWholeOrNotAtAll(string point, bool committed)
    {
        await using (var server = await StartAsync(_sessions.Path, ("LSERVE_TEST_CRASH_AT", point)))
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => SayAsync(server, "one"));

        await using var next = await StartAsync(_sessions.Path);
        using var found = await next.Http.GetAsync("v1/sessions/s");
        Assert.Equal(committed ? HttpStatusCode.OK : HttpStatusCode.NotFound, found.StatusCode);
        var again = await SayAsync(next, "one", "turn-one");
        Assert.Equal(committed, (bool)again["usage"]!["lserve"]!["repeated"]!);
    }

    private Task<ServerProcess> StartAsync(string folder, params (string, string)[] variables) =>
        ServerProcess.StartAsync(["--model", _model.Path, "--threads", "1", "--backend", "cpu", "--session-dir", folder], variables);

    private static string TextOf(JsonNode answer) => (string)answer["choices"]![0]!["message"]!["content"]!;

    private static async Task<JsonNode> SayAsync(ServerProcess server, string text, string? turnId = null)
    {
        var body = new JsonObject
        {
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }),
            ["temperature"] = 0,
            ["max_tokens"] = 16,
            ["metadata"] = new JsonObject { ["session_id"] = "s", ["turn_id"] = turnId ?? "turn-" + text },
        };
        using var response = await server.Http.PostAsync("v1/chat/completions", new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"));
        var reply = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, reply);
        return JsonNode.Parse(reply)!;
    }
}
