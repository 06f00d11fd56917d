using System.Net;
using LServe.Client;
using LServe.Contracts;

namespace LServe.Tests.Unit.Client;

public class LServeClientTests
{
    private const string Started = """{"type":"started","turn_id":"t1","prompt_tokens":3,"cached_tokens":0,"repeated":false}""";
    private const string Delta = """{"type":"delta","text":"Hé","tokens":2}""";
    private const string Completed =
        """{"type":"completed","reason":"stop","usage":{"prompt_tokens":3,"completion_tokens":2,"cached_tokens":0,"session_tokens":5}}""";
    private const string Info =
        """{"tenant":"default","id":"a","model":"m","tokens":5,"cached_tokens":5,"turns":1,"state":"idle","created":"2026-01-02T03:04:05+00:00","last_used":"2026-01-02T03:04:06+00:00","messages":[]}""";

    [Fact]
    public async Task ATurnIsReadEventByEvent()
    {
        var server = new FakeServer(_ => FakeServer.Events(Started, Delta, Completed));
        using var client = FakeServer.Client(server);

        var events = await CollectAsync(client.SendAsync("my session/é".Replace('/', '-'), new TurnRequest { TurnId = "t1", Messages = [new("user", "Hi")] }));

        Assert.Equal(["POST /v1/sessions/my%20session-%C3%A9/turns Bearer secret"], server.Requests);
        Assert.Contains("\"turn_id\":\"t1\"", server.Bodies[0]);
        Assert.Equal(new TurnStarted("t1", 3, 0, false), events[0]);
        Assert.Equal("Hé", Assert.IsType<TextDelta>(events[1]).Text);
        Assert.Equal(new TurnCompleted(FinishReason.Stop, new(3, 2, 0, 5)), events[2]);
    }

    [Fact]
    public async Task AskGivesTheWholeAnswer()
    {
        using var client = FakeServer.Client(new(_ => FakeServer.Events(Started, Delta, Delta, Completed)));
        Assert.Equal("HéHé", await client.AskAsync("a", "Hi"));
    }

    [Fact]
    public async Task AFailureInMidStreamIsThrown()
    {
        using var client = FakeServer.Client(new(_ => FakeServer.Events(Started, """{"error":{"message":"full","type":"server_error","param":null,"code":"overloaded"}}""")));
        var problem = await Assert.ThrowsAsync<LServeException>(() => CollectAsync(client.SendAsync("a", "Hi")));
        Assert.Equal(new ErrorInfo(ErrorCode.Overloaded, "full", Retryable: true), problem.Error);
    }

    [Fact]
    public async Task AStreamThatBreaksOffIsRetryable()
    {
        using var client = FakeServer.Client(new(_ => FakeServer.Events(Started, Delta)));
        var problem = await Assert.ThrowsAsync<LServeException>(() => CollectAsync(client.SendAsync("a", "Hi")));
        Assert.True(problem.Error.Retryable);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("null")]
    [InlineData("{\"type\":\"unheard-of\"}")]
    [InlineData("[1]")]
    public async Task AStreamOfSomethingElseIsOneTypedError(string data)
    {
        using var client = FakeServer.Client(new(_ => FakeServer.Events(data)));
        await Assert.ThrowsAsync<LServeException>(() => CollectAsync(client.SendAsync("a", "Hi")));
    }

    [Fact]
    public async Task ARefusalCarriesCodeFieldAndRetryTime()
    {
        using var client = FakeServer.Client(new(_ =>
        {
            var response = FakeServer.Json("""{"error":{"message":"wait","type":"x","param":"messages","code":"rate_limited"}}""", HttpStatusCode.TooManyRequests);
            response.Headers.Add("Retry-After", "7");
            return response;
        }));
        var problem = await Assert.ThrowsAsync<LServeException>(() => CollectAsync(client.SendAsync("a", "Hi")));
        Assert.Equal(new ErrorInfo(ErrorCode.RateLimited, "wait", "messages", true, 7), problem.Error);
    }

    [Theory]
    [InlineData(HttpStatusCode.BadGateway, ErrorCode.Overloaded)]
    [InlineData(HttpStatusCode.NotFound, ErrorCode.InvalidRequest)]
    [InlineData(HttpStatusCode.InternalServerError, ErrorCode.Internal)]
    public async Task AnAnswerOfAnotherServerIsTranslatedByItsStatus(HttpStatusCode status, ErrorCode expected)
    {
        using var client = FakeServer.Client(new(_ => FakeServer.Json("<html>" + new string('x', 10_000), status)));
        var problem = await Assert.ThrowsAsync<LServeException>(() => client.GetAsync("a"));
        Assert.Equal(expected, problem.Error.Code);
        Assert.True(problem.Message.Length < 400);
    }

    [Fact]
    public async Task AMissingSessionIsNullAndFalse()
    {
        using var client = FakeServer.Client(new(_ =>
            FakeServer.Json("""{"error":{"message":"no","type":"x","param":null,"code":"session_not_found"}}""", HttpStatusCode.NotFound)));
        Assert.Null(await client.GetAsync("a"));
        Assert.False(await client.DeleteAsync("a"));
        Assert.False(await client.CancelAsync("a"));
        Assert.False(await client.ReleaseAsync("a"));
    }

    [Fact]
    public async Task SessionsAreReadAndChanged()
    {
        var server = new FakeServer(request => request.Method == HttpMethod.Delete ? FakeServer.Json("""{"id":"a","deleted":true}""")
            : request.RequestUri!.Query.Length > 0 ? FakeServer.Json($$"""{"object":"list","data":[{{Info}}]}""") : FakeServer.Json(Info));
        using var client = FakeServer.Client(server);

        Assert.Equal(5, (await client.GetAsync("a"))!.Tokens);
        Assert.Equal("a", Assert.Single(await client.ListAsync(7)).Id);
        Assert.True(await client.DeleteAsync("a"));
        Assert.Equal(["GET /v1/sessions/a", "GET /v1/sessions?limit=7", "DELETE /v1/sessions/a"], server.Requests.Select(request => request.Replace(" Bearer secret", "")));
    }

    [Fact]
    public async Task AForkSaysWhereItBeginsAndHowItAttends()
    {
        var server = new FakeServer(_ => FakeServer.Json(Info));
        using var client = FakeServer.Client(server);
        await client.ForkAsync("a", "b", turn: 2, AttentionKind.LServe);
        await client.ForkAsync("a", "c");

        Assert.Equal(["""{"turn":2,"session_id":"b","attention":"lserve"}""", """{"session_id":"c"}"""], server.Bodies);
    }

    [Fact]
    public async Task NobodyListeningIsOneErrorThatSaysWhatToDo()
    {
        using var client = new LServeClient(new LServeClientOptions { Retry = RetryOptions.None }, new FakeServer(_ => throw new HttpRequestException("refused")));
        var problem = await Assert.ThrowsAsync<LServeException>(() => client.ListAsync());
        Assert.Contains("./lserve serve", problem.Message);
        Assert.True(problem.Error.Retryable);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("a\nb")]
    public async Task ANameThatNoSessionCanHaveIsRefusedBeforeAnythingIsSent(string name)
    {
        var server = new FakeServer(_ => FakeServer.Json(Info));
        using var client = FakeServer.Client(server);
        await Assert.ThrowsAsync<LServeException>(() => client.GetAsync(name));
        Assert.Empty(server.Requests);
    }

    private static async Task<List<TurnEvent>> CollectAsync(IAsyncEnumerable<TurnEvent> events)
    {
        var all = new List<TurnEvent>();
        await foreach (var happened in events) all.Add(happened);
        return all;
    }
}
