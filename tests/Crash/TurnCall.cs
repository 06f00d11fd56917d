using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace LServe.Tests.Crash;

/// <summary>One turn over HTTP, and what the server keeps.</summary>
internal static class TurnCall
{
    /// <exception cref="HttpRequestException">The server went away.</exception>
    public static async Task<(string Text, bool Repeated)> SendAsync(HttpClient http, string session, string turn, string text)
    {
        var body = new JsonObject
        {
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }),
            ["temperature"] = 0,
            ["max_tokens"] = 12,
            ["metadata"] = new JsonObject { ["session_id"] = session, ["turn_id"] = turn },
        };
        using var response = await http.PostAsync("v1/chat/completions", new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"));
        var reply = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{session} {turn}: {reply}");
        var json = JsonNode.Parse(reply)!;
        return ((string)json["choices"]![0]!["message"]!["content"]!, (bool)json["usage"]!["lserve"]!["repeated"]!);
    }

    /// <summary>The answers that the session keeps, in order; null when there is no such session.</summary>
    public static async Task<string[]?> AnswersAsync(HttpClient http, string session)
    {
        using var response = await http.GetAsync("v1/sessions/" + session);
        if (response.StatusCode == HttpStatusCode.NotFound) return null;
        var reply = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{session}: {reply}");
        var messages = JsonNode.Parse(reply)!["messages"]!.AsArray();
        return [.. messages.Where(m => (string?)m!["role"] == "assistant").Select(m => (string)m!["content"]!)];
    }
}
