using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using LServe.Client;
using LServe.Contracts;
using LServe.Tests.Contracts;

namespace LServe.Tests.Cluster;

/// <summary>One conversation, reached over HTTP and over the cluster's own protocol, with the server in another process.</summary>
public class SeparateProcessTests
{
    private const int Limit = 120_000;

    [Fact(Timeout = Limit)]
    public async Task AClientOfTheClusterGoesOnWithASessionBegunOverHttp()
    {
        await using var silo = await SiloProcess.StartAsync();
        await using var client = await LServeClusterClient.ConnectAsync(OptionsFor(silo));

        var first = await ChatAsync(silo, "hello");
        var second = await Answer.ReadAsync(client.SendAsync("s", Say("and now?")));
        var third = await ChatAsync(silo, "more");

        Assert.True(second.Usage.CachedTokens > 0);
        var kept = await client.GetAsync("s");
        Assert.Equal(["hello", first, "and now?", second.Text, "more", third], kept!.Messages.Select(m => m.Content));
        Assert.Equal(["s"], (await client.ListAsync()).Select(s => s.Id));
        var error = (await Assert.ThrowsAsync<LServeException>(() => Answer.ReadAsync(client.SendAsync("s", new() { Messages = [] })))).Error;
        Assert.Equal((ErrorCode.InvalidRequest, "messages"), (error.Code, error.Param));
        Assert.True(await client.DeleteAsync("s"));
        Assert.Equal(HttpStatusCode.NotFound, (await silo.Http.GetAsync("v1/sessions/s")).StatusCode);
    }

    [Fact(Timeout = Limit)]
    public async Task ASessionIsTheSameFromEverySiloOfACluster()
    {
        await using var first = await SiloProcess.StartAsync();
        await using var second = await SiloProcess.StartAsync(first);
        await using var client = await LServeClusterClient.ConnectAsync(OptionsFor(second));

        var answers = new List<string> { await ChatAsync(first, "one"), await ChatAsync(second, "two") };
        answers.Add((await Answer.ReadAsync(client.SendAsync("s", Say("three")))).Text);
        Assert.Equal(answers, (await client.GetAsync("s"))!.Messages.Where(m => m.Role == ChatMessage.Assistant).Select(m => m.Content));
    }

    [Fact(Timeout = Limit)]
    public async Task WhereNoSiloAnswersConnectingSaysSo()
    {
        var options = new LServeClusterOptions { Gateways = [new(IPAddress.Loopback, 1)], ConnectAttempts = 1 };
        var error = (await Assert.ThrowsAsync<LServeException>(() => LServeClusterClient.ConnectAsync(options))).Error;

        Assert.Equal((ErrorCode.Overloaded, true), (error.Code, error.Retryable));
        Assert.Contains("127.0.0.1:1", error.Message);
    }

    private static LServeClusterOptions OptionsFor(SiloProcess silo) => new() { Gateways = [new(IPAddress.Loopback, silo.GatewayPort)] };

    private static TurnRequest Say(string text) =>
        new() { Messages = [new(ChatMessage.User, text)], Sampling = new() { Temperature = 0, MaxTokens = 8 } };

    private static async Task<string> ChatAsync(SiloProcess silo, string text)
    {
        var body = new { model = "default", temperature = 0, max_tokens = 8, messages = new[] { new { role = "user", content = text } }, metadata = new { session_id = "s" } };
        using var response = await silo.Http.PostAsJsonAsync("v1/chat/completions", body);
        var json = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(response.IsSuccessStatusCode, json.ToString());
        return json.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
    }
}
