using System.Text;
using System.Text.Json.Nodes;

namespace LServe.Tests.EndToEnd;

/// <summary>The server as it comes: with the bundled model and no options.</summary>
public sealed class BundledModelTests
{
    [Fact]
    public async Task ItKnowsTheCapitalOfFranceAndGoesOnFromThere()
    {
        await using var server = await ServerProcess.StartAsync();
        Assert.Contains("SmolLM2-135M-Instruct", server.ReadyLine, StringComparison.Ordinal);

        var first = await AskAsync(server, "What is the capital of France?");
        Assert.Contains("Paris", (string?)first["choices"]![0]!["message"]!["content"], StringComparison.Ordinal);
        var second = await AskAsync(server, "And what is the capital of Italy?");
        Assert.Contains("Rome", (string?)second["choices"]![0]!["message"]!["content"], StringComparison.Ordinal);
        Assert.True((int)second["usage"]!["prompt_tokens_details"]!["cached_tokens"]! >= (int)first["usage"]!["prompt_tokens"]!);
    }

    private static async Task<JsonNode> AskAsync(ServerProcess server, string question)
    {
        var body = new JsonObject
        {
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = question }),
            ["temperature"] = 0,
            ["max_tokens"] = 24,
            ["metadata"] = new JsonObject { ["session_id"] = "capitals" },
        };
        using var response = await server.Http.PostAsync(
            "v1/chat/completions", new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"));
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }
}
