using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using LServe.Tests.Support;

namespace LServe.Tests.EndToEnd;

/// <summary>Sessions outlive the server's process, however it ends.</summary>
public sealed class DurableSessionTests : IDisposable
{
    /// <summary>Stands in options for the folder of a pattern of the tiny model.</summary>
    private const string Pattern = "PATTERN";

    private readonly TemporaryFile _model = new(TinyModel.Bytes());
    private readonly TemporaryFolder _sessions = new(), _pattern = new();

    public void Dispose()
    {
        _model.Dispose();
        _sessions.Dispose();
        _pattern.Dispose();
    }

    [Theory]
    [InlineData]
    [InlineData("--attention", "lserve", "--kv", "int8", "--pattern", Pattern, "--sink", "16", "--local", "64", "--budget", "256")]
    public async Task AfterAKillTheConversationGoesOnWithTheSameTokensAndComputesNoneAgain(params string[] options)
    {
        WritePattern();
        string[] turns = ["one " + new string('x', 200), "two", "three", "four"];
        var expected = new List<string>();
        await using (var undisturbed = await StartAsync("none", options))
            foreach (var turn in turns) expected.Add(TextOf(await SayAsync(undisturbed, turn)));

        var answers = new List<string>();
        var before = 0;
        foreach (var turn in turns)
        {
            await using var server = await StartAsync(_sessions.Path, options);
            var answer = await SayAsync(server, turn);
            answers.Add(TextOf(answer));
            var usage = answer["usage"]!["lserve"]!;
            // The last token of an answer has no keys and values yet.
            Assert.Equal((Math.Max(0, before - 1), 0), ((int)usage["restored_tokens"]!, (int)usage["recomputed_tokens"]!));
            before = (int)usage["session_tokens"]!;
            await server.KillAsync();
        }

        Assert.Equal(expected, answers);
        await using var last = await StartAsync(_sessions.Path, options);
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
    [InlineData("pages.write:1", false)]
    [InlineData("pages.sync:1", false)]
    [InlineData("pages.folder-sync:1", false)]
    [InlineData("state.begin:1", false)]
    [InlineData("journal.write:1", false)]
    [InlineData("journal.sync:1", true)]
    [InlineData("state.commit:1", true)]
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

    [Fact]
    public async Task WhatThereWasOfAKilledAnswerIsShownUntilItIsThereWhole()
    {
        string[] options = [.. Arguments(_sessions.Path), "--checkpoint-every", "4"];
        await using (var server = await ServerProcess.StartAsync(options, ("LSERVE_TEST_CRASH_AT", "state.begin:2")))
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => SayAsync(server, "one"));

        await using var next = await ServerProcess.StartAsync(options);
        var interrupted = JsonNode.Parse(await next.Http.GetStringAsync("v1/sessions/s"))!["interrupted"]!;
        Assert.Equal("turn-one", (string?)interrupted["turn_id"]);
        Assert.InRange((int)interrupted["tokens"]!, 4, 16);
        Assert.StartsWith((string)interrupted["text"]!, TextOf(await SayAsync(next, "one")));
        Assert.Null(JsonNode.Parse(await next.Http.GetStringAsync("v1/sessions/s"))!["interrupted"]);
    }

    [Fact]
    public async Task ASessionGoesFromOneServerToAnotherAsAFile()
    {
        await using var first = await StartAsync(_sessions.Path);
        var before = await SayAsync(first, "one " + new string('x', 200));
        var file = await first.Http.GetByteArrayAsync("v1/sessions/s/export?pages=true");
        var expected = TextOf(await SayAsync(first, "two"));

        await using var second = await StartAsync("none");
        Assert.Equal(HttpStatusCode.OK, (await second.Http.PostAsync("v1/sessions/import", new ByteArrayContent(file))).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await second.Http.PostAsync("v1/sessions/import", new ByteArrayContent(file))).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await second.Http.PostAsync("v1/sessions/t/import", new ByteArrayContent(file[5..]))).StatusCode);
        Assert.Equal(expected, TextOf(await SayAsync(second, "two")));

        await using var third = await StartAsync(_pattern.Path);
        await third.Http.PostAsync("v1/sessions/import", new ByteArrayContent(file));
        var usage = (await SayAsync(third, "two"))["usage"]!["lserve"]!;
        Assert.Equal(((int)before["usage"]!["lserve"]!["session_tokens"]! - 1, 0), ((int)usage["restored_tokens"]!, (int)usage["recomputed_tokens"]!));
    }

    /// <summary>One streaming head a layer.</summary>
    private void WritePattern()
    {
        File.WriteAllText(Path.Combine(_pattern.Path, "full_attention_heads.tsv"), "0.1\t0.9\n0.9\t0.1\n");
        File.WriteAllText(Path.Combine(_pattern.Path, "config.json"), "{\"sink_size\": 16, \"recent_size\": 64}");
    }

    private Task<ServerProcess> StartAsync(string folder, string[] options) =>
        ServerProcess.StartAsync([.. Arguments(folder), .. options.Select(option => option == Pattern ? _pattern.Path : option)]);

    private Task<ServerProcess> StartAsync(string folder, params (string, string)[] variables) => ServerProcess.StartAsync(Arguments(folder), variables);

    private string[] Arguments(string folder) => ["--model", _model.Path, "--threads", "1", "--backend", "cpu", "--session-dir", folder];

    private static string TextOf(JsonNode answer) => (string)answer["choices"]![0]!["message"]!["content"]!;

    private static async Task<JsonNode> SayAsync(ServerProcess server, string text, string? turnId = null)
    {
        var body = new JsonObject
        {
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }),
            ["temperature"] = 0,
            ["max_tokens"] = 16,
            ["metadata"] = new JsonObject { ["session_id"] = "s", ["turn_id"] = turnId ?? "turn-" + text.Split(' ')[0] },
        };
        using var response = await server.Http.PostAsync("v1/chat/completions", new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"));
        var reply = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, reply);
        return JsonNode.Parse(reply)!;
    }
}
