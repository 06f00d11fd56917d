using System.Net;
using System.Text.Json.Nodes;

namespace LServe.Tests.Unit.Api;

/// <summary>Models, health, metrics and the page.</summary>
public sealed class OperatorEndpointsTests : IAsyncLifetime
{
    private ApiServer _server = null!;

    public async Task InitializeAsync() => _server = await ApiServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task ModelsListTheOneThatIsServed()
    {
        var list = JsonNode.Parse(await _server.Http.GetStringAsync("/v1/models"))!;
        var card = list["data"]!.AsArray().Single()!;
        Assert.Equal(("fake-model", "model", 2048), ((string?)card["id"], (string?)card["object"], (int?)card["context_length"]));

        Assert.Equal("fake-model", (string?)JsonNode.Parse(await _server.Http.GetStringAsync("/v1/models/fake-model"))!["id"]);
        Assert.Equal("fake-model", (string?)JsonNode.Parse(await _server.Http.GetStringAsync("/v1/models/default"))!["id"]);
        using var unknown = await _server.Http.GetAsync("/v1/models/org/other");
        await ErrorAssert.IsAsync(unknown, HttpStatusCode.NotFound, "model_not_found", "model");
    }

    [Fact]
    public async Task ReadinessSaysWhyNot()
    {
        Assert.Contains("ready", await _server.Http.GetStringAsync("/readyz"), StringComparison.Ordinal);
        _server.Host.Status = _server.Host.Status with { Ready = false, Problem = "Stopping." };

        using var response = await _server.Http.GetAsync("/readyz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Contains("Stopping.", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("ok", await _server.Http.GetStringAsync("/healthz"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task MetricsAreInPrometheussFormat()
    {
        await _server.AskAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"Hi"}]}""");
        var lines = (await _server.Http.GetStringAsync("/metrics")).Split('\n');

        Assert.Contains("# TYPE lserve_http_requests_total counter", lines);
        Assert.Contains("lserve_http_requests_total{route=\"/v1/chat/completions\",status=\"200\"} 1", lines);
        Assert.Contains("lserve_generated_tokens_total 45", lines);
        Assert.Contains("lserve_tokens_per_second 12.5", lines);
        Assert.Contains("# TYPE lserve_turn_wait_seconds histogram", lines);
        Assert.Contains("lserve_turn_wait_seconds_bucket{le=\"+Inf\"} 1", lines);
        Assert.Contains("lserve_turn_wait_seconds_count 1", lines);
        Assert.All(lines.SkipLast(1), line => Assert.Matches("^(# (HELP|TYPE) lserve_.+|lserve_[a-z_]+(\\{.+\\})? [0-9.eE+-]+)$", line));
    }

    [Fact]
    public async Task StatsTellWhatIsReadOfWhatIsHeld()
    {
        _server.Host.Status = _server.Host.Status with { PagesRead = 30, PagesHeld = 120 };
        var stats = JsonNode.Parse(await _server.Http.GetStringAsync("/stats"))!;

        Assert.Equal((30, 120, "dense"), ((long)stats["pages_read"]!, (long)stats["pages_held"]!, (string?)stats["attention"]));
        Assert.Equal(("fake-model", 3, 64), ((string?)stats["model"], (int)stats["pages_used"]!, (int)stats["pages_total"]!));
    }

    [Theory]
    [InlineData("/", "text/html")]
    [InlineData("/chat.css", "text/css")]
    [InlineData("/chat.js", "text/javascript")]
    [InlineData("/view.js", "text/javascript")]
    [InlineData("/stream.js", "text/javascript")]
    [InlineData("/markdown.js", "text/javascript")]
    public async Task ThePageComesFromTheAssemblyAndLoadsNothingElse(string path, string type)
    {
        using var response = await _server.Http.GetAsync(path);
        var text = await response.Content.ReadAsStringAsync();

        Assert.Equal(type, response.Content.Headers.ContentType!.MediaType);
        Assert.Contains("default-src 'none'", response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.NotEmpty(text);
        Assert.DoesNotContain("https://", text, StringComparison.Ordinal);
        Assert.DoesNotContain("innerHTML", text, StringComparison.Ordinal);
    }
}
