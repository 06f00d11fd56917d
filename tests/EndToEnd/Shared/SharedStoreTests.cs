using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using LServe.Tests.Support;

namespace LServe.Tests.EndToEnd.Shared;

/// <summary>Servers that keep their sessions in one blob container.</summary>
public sealed class SharedStoreTests : IAsyncLifetime
{
    private const string Variable = "LSERVE_TEST_STORE";

    private readonly TemporaryFile _model = new(TinyModel.Bytes());
    private Azurite? _azurite;

    public async Task InitializeAsync()
    {
        if (Azurite.Missing is null) _azurite = await Azurite.StartAsync();
    }

    public async Task DisposeAsync()
    {
        if (_azurite is not null) await _azurite.DisposeAsync();
        _model.Dispose();
    }

    [AzuriteFact]
    public async Task AConversationGoesOnAtAnyServerAndOneThatFellBehindIsTold()
    {
        string[] turns = ["one " + new string('x', 200), "two", "three"];
        var expected = new List<string>();
        await using (var undisturbed = await ServerProcess.StartAsync("--model", _model.Path, "--threads", "1", "--session-dir", "none"))
            foreach (var turn in turns) expected.Add(TextOf(await ReadAsync(await SayAsync(undisturbed, turn))));

        await using var one = await StartAsync();
        await using var other = await StartAsync();
        var first = await ReadAsync(await SayAsync(one, turns[0]));
        var second = await ReadAsync(await SayAsync(other, turns[1]));
        Assert.Equal((int)first["usage"]!["lserve"]!["session_tokens"]! - 1, (int)second["usage"]!["lserve"]!["restored_tokens"]!);
        var behind = await SayAsync(one, turns[2]);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, behind.StatusCode);
        var third = await ReadAsync(await SayAsync(one, turns[2]));

        Assert.Equal(expected, new[] { first, second, third }.Select(TextOf));
        await using var fresh = await StartAsync();
        Assert.Equal(3, (int)JsonNode.Parse(await fresh.Http.GetStringAsync("v1/sessions/s"))!["turns"]!);
        Assert.Equal("s", (string)JsonNode.Parse(await fresh.Http.GetStringAsync("v1/sessions"))!["data"]![0]!["id"]!);
    }

    [AzuriteFact]
    public async Task WhatIsWrongWithTheStoreIsOneLine()
    {
        foreach (var (store, saying) in new[]
        {
            ("azure=LSERVE_TEST_NOT_SET", "LSERVE_TEST_NOT_SET, which isn't set"), ("s3=x", "must be azure=CONNECTION"), ("azure=AccountName=a", "neither a connection string"),
        })
        {
            var (code, _, errors) = await ServerProcess.RunToEndAsync("--store", store, "--model", _model.Path);
            Assert.Equal(2, code);
            Assert.Contains(saying, Assert.Single(errors.TrimEnd().Split('\n')));
        }
    }

    private Task<ServerProcess> StartAsync() => ServerProcess.StartAsync(
        ["--model", _model.Path, "--threads", "1", "--session-dir", "none", "--store", "azure=" + Variable, "--store-container", "shared"],
        (Variable, _azurite!.ConnectionString));

    private static Task<HttpResponseMessage> SayAsync(ServerProcess server, string text) => server.Http.PostAsJsonAsync("v1/chat/completions", new
    {
        model = "default", temperature = 0, max_tokens = 12, messages = new[] { new { role = "user", content = text } },
        metadata = new { session_id = "s" },
    });

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage reply)
    {
        var body = await reply.Content.ReadAsStringAsync();
        Assert.True(reply.IsSuccessStatusCode, body);
        return JsonNode.Parse(body)!;
    }

    private static string TextOf(JsonNode answer) => (string)answer["choices"]![0]!["message"]!["content"]!;
}

/// <summary>Skips where there is no Azurite.</summary>
internal sealed class AzuriteFactAttribute : FactAttribute
{
    public AzuriteFactAttribute() => Skip = Azurite.Missing;
}
