using System.Net;
using System.Text.Json.Nodes;
using LServe.Contracts;
using static LServe.Tests.Unit.Api.Requests;

namespace LServe.Tests.Unit.Api;

/// <summary>How requests name sessions and turns, and the endpoints that manage sessions.</summary>
public sealed class SessionRequestTests : IAsyncLifetime
{
    private ApiServer _server = null!;

    public async Task InitializeAsync() => _server = await ApiServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task HeadersNameSessionAndTurn()
    {
        using var response = await _server.PostAsync(ChatPath, Hello, ("X-Session-Id", "s1"), ("X-Turn-Id", "t1"));

        Assert.Equal(("default/s1", "t1"), (_server.Host.Asked.Single().Key.ToString(), _server.Host.Asked.Single().Request.TurnId));
        Assert.Equal("s1", response.Headers.GetValues("X-Session-Id").Single());
        Assert.Equal("t1", response.Headers.GetValues("X-Turn-Id").Single());
        var body = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.Equal("s1", (string?)body["usage"]!["lserve"]!["session_id"]);
    }

    [Fact]
    public async Task MetadataNamesThemToo()
    {
        using var response = await _server.PostAsync(ChatPath, HelloWith("\"metadata\":{\"session_id\":\"größe 1\",\"turn_id\":\"t2\",\"other\":\"x\"}"));

        Assert.Equal(("default/größe 1", "t2"), (_server.Host.Asked.Single().Key.ToString(), _server.Host.Asked.Single().Request.TurnId));
        Assert.Equal("größe 1", Uri.UnescapeDataString(response.Headers.GetValues("X-Session-Id").Single()));
    }

    [Theory]
    [InlineData("\"attention\":\"lserve\"", AttentionKind.LServe)]
    [InlineData("\"attention\":\"dense\"", AttentionKind.Dense)]
    [InlineData("\"attention\":null", null)]
    public async Task TheBodySaysHowToAttend(string field, AttentionKind? attention)
    {
        using var response = await _server.PostAsync(ChatPath, HelloWith(field));

        Assert.Equal(attention, _server.Host.Asked.Single().Request.Attention);
        Assert.Equal("dense", (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["usage"]!["lserve"]!["attention"]);
    }

    [Fact]
    public async Task AnUnknownAttentionIsRefused()
    {
        using var response = await _server.PostAsync(ChatPath, HelloWith("\"attention\":\"magic\""));

        await ErrorAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid_request", "attention");
    }

    [Fact]
    public async Task WithoutASessionNothingIsKept()
    {
        using var response = await _server.PostAsync(ChatPath, Hello);

        Assert.Null(_server.Host.Asked.Single().Key);
        Assert.False(response.Headers.Contains("X-Session-Id"));
        Assert.Equal("turn-1", response.Headers.GetValues("X-Turn-Id").Single());
    }

    [Theory]
    [InlineData("X-Session-Id", "a/b", "session")]
    [InlineData("X-Session-Id", "", "session")]
    [InlineData("X-Turn-Id", "a%0Ab", "turn_id")]
    public async Task NamesThatCantBeKeptAreRefused(string header, string name, string param)
    {
        using var response = await _server.PostAsync(ChatPath, Hello, (header, name));

        await ErrorAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid_request", param);
    }

    [Fact]
    public async Task SessionsTravelAsFiles()
    {
        Keep("a", "idle");

        Assert.Equal("a True", await _server.Http.GetStringAsync("/v1/sessions/a/export?pages=true"));
        Assert.Equal("a False", await _server.Http.GetStringAsync("/v1/sessions/a/export"));
        Assert.Equal("named-in-the-file", (string?)(await _server.AskAsync("/v1/sessions/import", "12345"))["id"]);
        Assert.Equal(("b", 5), await _server.AskAsync("/v1/sessions/b/import", "12345") is var b ? ((string?)b["id"], (int?)b["tokens"]) : default);
        using var missing = await _server.Http.GetAsync("/v1/sessions/nobody/export");
        await ErrorAssert.IsAsync(missing, HttpStatusCode.NotFound, "session_not_found", "session");
        using var unclear = await _server.Http.GetAsync("/v1/sessions/a/export?pages=some");
        await ErrorAssert.IsAsync(unclear, HttpStatusCode.BadRequest, "invalid_request", "pages");
    }

    [Fact]
    public async Task SessionsAreListedShownStoppedFreedAndDeleted()
    {
        Keep("a", "running");
        Keep("b", "idle");

        var list = JsonNode.Parse(await _server.Http.GetStringAsync("/v1/sessions?limit=1"))!;
        Assert.Single(list["data"]!.AsArray());
        var shown = JsonNode.Parse(await _server.Http.GetStringAsync("/v1/sessions/a"))!;
        Assert.Equal(("a", 12, "t9"), ((string?)shown["id"], (int?)shown["cached_tokens"], (string?)shown["last_turn_id"]));
        Assert.Equal("Hi", (string?)shown["messages"]![0]!["content"]);
        Assert.True((bool?)(await _server.AskAsync("/v1/sessions/a/cancel", ""))["cancelled"]);
        Assert.False((bool?)(await _server.AskAsync("/v1/sessions/b/cancel", ""))["cancelled"]);
        Assert.True((bool?)(await _server.AskAsync("/v1/sessions/b/release", ""))["released"]);

        using var deleted = await _server.Http.DeleteAsync("/v1/sessions/a");
        Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
        using var again = await _server.Http.DeleteAsync("/v1/sessions/a");
        await ErrorAssert.IsAsync(again, HttpStatusCode.NotFound, "session_not_found", "session");
        using var gone = await _server.Http.GetAsync("/v1/sessions/a");
        await ErrorAssert.IsAsync(gone, HttpStatusCode.NotFound, "session_not_found", "session");
        using var limit = await _server.Http.GetAsync("/v1/sessions?limit=-1");
        await ErrorAssert.IsAsync(limit, HttpStatusCode.BadRequest, "invalid_request", "limit");
    }

    [Fact]
    public async Task ASessionIsMovedToTheSiloThatIsNamedOrToAny()
    {
        Keep("a", "idle");

        Assert.Equal("silo-2", (string?)(await _server.AskAsync("/v1/sessions/a/migrate", """{"silo":"silo-2"}"""))["silo"]);
        Assert.Equal("the roomiest", (string?)(await _server.AskAsync("/v1/sessions/a/migrate", "{}"))["silo"]);
        using var empty = await _server.Http.PostAsync("/v1/sessions/a/migrate", null);
        Assert.Equal(HttpStatusCode.OK, empty.StatusCode);
        using var missing = await _server.Http.PostAsync("/v1/sessions/b/migrate", null);
        await ErrorAssert.IsAsync(missing, HttpStatusCode.NotFound, "session_not_found", "session");
    }

    [Fact]
    public async Task ATurnOfTheProjectsOwnProtocolStreamsItsEvents()
    {
        using var response = await _server.PostAsync("/v1/sessions/s%201/turns", """
            {"turn_id":"t1","messages":[{"role":"user","content":"Hi"}],"sampling":{"temperature":0,"max_tokens":5}}
            """);
        using var stream = await EventStream.OpenAsync(response);
        var events = (await stream.AllAsync()).ConvertAll(data => JsonNode.Parse(data)!);

        Assert.Equal(["started", "progress", "delta", "delta", "completed"], events.Select(e => (string?)e["type"]));
        Assert.Equal("t1", (string?)events[0]["turn_id"]);
        Assert.Equal("stop", (string?)events[^1]["reason"]);
        var (key, request) = _server.Host.Asked.Single();
        Assert.Equal(("default/s 1", 5), (key.ToString(), request.Sampling.MaxTokens));
    }

    [Fact]
    public async Task ATurnOfTheProjectsOwnProtocolIsCheckedToo()
    {
        using var response = await _server.PostAsync("/v1/sessions/s/turns", """{"prompt":"x","sampling":{"top_p":0}}""");

        await ErrorAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid_request", "top_p");
    }

    private void Keep(string id, string state) => _server.Host.Sessions[id] = new SessionInfo(
        "default", id, "fake-model", 20, 12, 1, state, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, "t9", [new("user", "Hi")]);
}
