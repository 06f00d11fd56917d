using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace LServe.Tests.EndToEnd;

/// <summary>The server through plain HTTP: curl, clients that leave, and requests that no library would send.</summary>
public sealed class RawHttpTests(TinyServer server) : IClassFixture<TinyServer>
{
    private const string Chat = "v1/chat/completions";
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    [CurlFact]
    public async Task CurlStreamsAnAnswer()
    {
        const string body = """{"messages":[{"role":"user","content":"Hi"}],"max_tokens":5,"temperature":0,"stream":true}""";
        var start = new ProcessStartInfo("curl", ["-sSN", new Uri(server.Address, Chat).ToString(), "-d", body]) { RedirectStandardOutput = true };
        using var curl = Process.Start(start)!;
        var output = await curl.StandardOutput.ReadToEndAsync().WaitAsync(s_patience);

        Assert.EndsWith("data: [DONE]\n\n", output, StringComparison.Ordinal);
        Assert.Contains("\"finish_reason\":\"length\"", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AClientThatLeavesGivesItsPagesBack()
    {
        var before = await UsedPagesAsync();
        using (var response = await SendAsync("""{"messages":[{"role":"user","content":"Hi"}],"stream":true,"ignore_eos":true}"""))
        {
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
            while (!(await reader.ReadLineAsync())!.Contains("\"content\":\"", StringComparison.Ordinal))
                Assert.True(response.IsSuccessStatusCode);
        }

        using var patience = new CancellationTokenSource(s_patience);
        while (await UsedPagesAsync() > before)
            patience.Token.ThrowIfCancellationRequested();
    }

    [Fact]
    public async Task ASessionsTurnIsStoppedByAnotherRequest()
    {
        using var response = await SendAsync("""
            {"messages":[{"role":"user","content":"Hi"}],"stream":true,"ignore_eos":true,"stream_options":{"include_usage":true},
             "metadata":{"session_id":"to-stop"}}
            """);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        while (!(await reader.ReadLineAsync())!.Contains("\"content\":\"", StringComparison.Ordinal))
            Assert.True(response.IsSuccessStatusCode);
        using var stop = await server.Http.PostAsync("v1/sessions/to-stop/cancel", null);
        Assert.Contains("\"cancelled\":true", await stop.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        var rest = await reader.ReadToEndAsync();

        Assert.Contains("\"finish_reason\":\"stop\"", rest, StringComparison.Ordinal);
        Assert.Contains("\"cancelled\":true", rest, StringComparison.Ordinal);
        var kept = JsonNode.Parse(await server.Http.GetStringAsync("v1/sessions/to-stop"))!;
        Assert.Equal((2, "idle"), (kept["messages"]!.AsArray().Count, (string?)kept["state"]));
    }

    [Fact]
    public async Task BadBodiesAreRefusedAndTheServerServesOn()
    {
        using var huge = await SendAsync("{\"messages\":[{\"role\":\"user\",\"content\":\"" + new string('a', 10 << 20) + "\"}]}");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, huge.StatusCode);
        using var broken = await SendAsync("{\"messages\":[}");
        Assert.Equal(HttpStatusCode.BadRequest, broken.StatusCode);
        using var good = await SendAsync("""{"messages":[{"role":"user","content":"Hi"}],"max_tokens":1}""");
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
    }

    [Fact]
    public async Task TextCompletionsTakeTokensAndBiases()
    {
        using var response = await server.Http.PostAsync(
            "v1/completions", Json("""{"prompt":[40,41,42],"max_tokens":4,"temperature":0,"logprobs":1,"logit_bias":{"36":100}}"""));
        var choice = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["choices"]![0]!;

        Assert.Single(choice["logprobs"]!["tokens"]!.AsArray().Select(token => (string?)token).Distinct());
        Assert.Equal(4, choice["logprobs"]!["text_offset"]!.AsArray().Count);
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private Task<HttpResponseMessage> SendAsync(string body) => server.Http.SendAsync(
        new HttpRequestMessage(HttpMethod.Post, Chat) { Content = Json(body) }, HttpCompletionOption.ResponseHeadersRead);

    private async Task<int> UsedPagesAsync()
    {
        var metrics = await server.Http.GetStringAsync("metrics");
        return int.Parse(metrics.Split('\n').Single(line => line.StartsWith("lserve_kv_pages_used ", StringComparison.Ordinal)).Split(' ')[1]);
    }
}

/// <summary>Skips where there is no curl.</summary>
internal sealed class CurlFactAttribute : FactAttribute
{
    public CurlFactAttribute()
    {
        if (!File.Exists("/usr/bin/curl"))
            Skip = "There is no /usr/bin/curl: install the package curl.";
    }
}
