using System.Net;
using System.Text;
using LServe.Client;
using LServe.Contracts;

namespace LServe.Tests.Unit.Client;

/// <summary>What clients try again, what they make of a turn that is told more than once, and what they leave to their callers.</summary>
public class RetryTests
{
    private const string Started = """{"type":"started","turn_id":"t1","prompt_tokens":3,"cached_tokens":0,"repeated":false}""";
    private const string Repeated = """{"type":"started","turn_id":"t1","prompt_tokens":3,"cached_tokens":0,"repeated":true}""";
    private const string Completed =
        """{"type":"completed","reason":"stop","usage":{"prompt_tokens":3,"completion_tokens":5,"cached_tokens":0,"session_tokens":8}}""";
    private const string Busy = """{"error":{"message":"full","type":"server_error","param":null,"code":"overloaded"}}""";

    private static readonly RetryOptions s_atOnce = new() { MaxRetries = 3, Delay = TimeSpan.FromTicks(1) };

    [Fact]
    public async Task ABrokenStreamIsJoinedAgainAndNothingIsTwice()
    {
        var (events, server) = await PlayAsync(
            FakeServer.Events(Started, Delta("ab", 2)), FakeServer.Json(Busy, HttpStatusCode.ServiceUnavailable),
            FakeServer.Events(Started, Delta("ab", 2), Delta("cd", 2)), FakeServer.Events(Repeated, Delta("abcde", 5), Completed));

        Assert.Equal(["TurnStarted", "ab 2", "cd 2", "e 1", "TurnCompleted"], events);
        Assert.Equal(4, server.Requests.Count(request => request.Contains("/turns")));
        // The same turn each time, so that it never runs twice.
        Assert.Single(server.Bodies.Where(body => body.Length > 0).Distinct());
        Assert.DoesNotContain(server.Requests, request => request.Contains("/leave"));
    }

    [Theory]
    [InlineData("abc|de", "a|b|cde", "abc 3|de 2")]
    [InlineData("abc", "abcde", "abc 3|de 2")]
    [InlineData("abcde", "ab|cde", "abcde 5")]
    [InlineData("a", "ab|cde", "a 1|b 1|cde 3")]
    [InlineData("", "ab|cde", "ab 2|cde 3")]
    public async Task ItMayBeToldInOtherPieces(string first, string second, string expected)
    {
        string[] Deltas(string texts) => [.. texts.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(text => Delta(text, text.Length))];
        var (events, _) = await PlayAsync(FakeServer.Events([Started, .. Deltas(first)]), FakeServer.Events([Started, .. Deltas(second), Completed]));
        Assert.Equal(expected.Split('|'), events.Where(e => e.Contains(' ')));
    }

    [Fact]
    public async Task LogProbabilitiesAndProgressAreToldOnceAsWell()
    {
        const string progress = """{"type":"progress","done":2,"total":3}""", more = """{"type":"progress","done":3,"total":3}""";
        static string Logged(string text) => $$"""{"type":"delta","text":"{{text}}","tokens":{{text.Length}},"logprobs":[{{string.Join(',', text.Select(c => $$"""{"token":{{(int)c}},"text":"{{c}}","bytes":[1],"logprob":-1}"""))}}]}""";
        var server = Script(FakeServer.Events(Started, progress, Logged("ab")), FakeServer.Events(Started, progress, more, Logged("a"), Logged("bcd"), Completed));
        using var client = FakeServer.Client(server, s_atOnce);
        var events = await CollectAsync(client.SendAsync("s", Request()));

        Assert.Equal(["TurnStarted", "PromptProgress", "TextDelta", "TextDelta", "TurnCompleted"], events.Select(e => e.GetType().Name));
        Assert.Equal("abcd", string.Concat(events.OfType<TextDelta>().SelectMany(d => d.Logprobs!).Select(l => l.Text)));
    }

    [Fact]
    public async Task AnAnswerThatIsAnotherOneNowIsTheCallersAndTheTurnGoesOn()
    {
        var server = Script(FakeServer.Events(Started, Delta("ab", 2)), FakeServer.Events(Started, Delta("aX", 2), Completed));
        using var client = FakeServer.Client(server, s_atOnce);
        var problem = await Assert.ThrowsAsync<LServeException>(() => CollectAsync(client.SendAsync("s", Request())));

        Assert.Contains("another one now", problem.Message);
        Assert.True(problem.Error.Retryable);
        Assert.DoesNotContain(server.Requests, request => request.Contains("/leave"));
    }

    [Fact]
    public async Task TriesAreBounded()
    {
        var server = new FakeServer(_ => FakeServer.Json(Busy, HttpStatusCode.ServiceUnavailable));
        using var client = FakeServer.Client(server, s_atOnce);
        await Assert.ThrowsAsync<LServeException>(() => CollectAsync(client.SendAsync("s", Request())));
        Assert.Equal(1 + s_atOnce.MaxRetries, server.Requests.Count);
        await Assert.ThrowsAsync<LServeException>(() => client.GetAsync("s"));
        Assert.Equal(2 * (1 + s_atOnce.MaxRetries), server.Requests.Count);
    }

    [Fact]
    public async Task WhatCannotSucceedAndWhatMayDoHarmTwiceIsNotTriedAgain()
    {
        var server = new FakeServer(request => FakeServer.Json(Busy, request.Method == HttpMethod.Get ? HttpStatusCode.BadRequest : HttpStatusCode.ServiceUnavailable));
        using var client = FakeServer.Client(server, s_atOnce);
        foreach (var call in new Func<Task>[] { () => client.ForkAsync("a", "b"), () => client.DeleteAsync("a"), () => client.ImportAsync(null, new MemoryStream()) })
            await Assert.ThrowsAsync<LServeException>(call);
        Assert.Equal(3, server.Requests.Count);
    }

    [Fact]
    public async Task AServerThatAsksForMoreTimeThanThereIsIsTheCallers()
    {
        var server = new FakeServer(_ =>
        {
            var response = FakeServer.Json(Busy, HttpStatusCode.ServiceUnavailable);
            response.Headers.Add("Retry-After", "600");
            return response;
        });
        using var client = FakeServer.Client(server, s_atOnce);
        Assert.Equal(600, (await Assert.ThrowsAsync<LServeException>(() => client.GetAsync("s"))).Error.RetryAfterSeconds);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task WhoeverLeavesSaysSoBeforeTheStreamIsClosed()
    {
        var (contents, open) = (new List<HangingContent>(), new List<bool>());
        var server = new FakeServer(request =>
        {
            if (!request.RequestUri!.AbsolutePath.EndsWith("/leave", StringComparison.Ordinal))
            {
                contents.Add(new(Encoding.UTF8.GetBytes($"data: {Started}\n\ndata: {Delta("ab", 2)}\n\n")));
                return new(HttpStatusCode.OK) { Content = contents[^1] };
            }
            open.Add(!contents[^1].IsClosed);
            return FakeServer.Json("{\"id\":\"s\",\"cancelled\":true}");
        });
        using var client = FakeServer.Client(server, s_atOnce);
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var happened in client.SendAsync("s", Request(), stop.Token))
                if (happened is TextDelta) await stop.CancelAsync();
        });
        await foreach (var _ in client.SendAsync("s", Request())) break;

        Assert.Equal([true, true], open);
        Assert.All(contents, content => Assert.True(content.IsClosed));
    }

    private static string Delta(string text, int tokens) => $$"""{"type":"delta","text":"{{text}}","tokens":{{tokens}}}""";

    private static TurnRequest Request() => new() { Messages = [new("user", "Hi")] };

    private static FakeServer Script(params HttpResponseMessage[] answers)
    {
        var left = new Queue<HttpResponseMessage>(answers);
        return new(_ => left.Dequeue());
    }

    private static async Task<(List<string> Events, FakeServer Server)> PlayAsync(params HttpResponseMessage[] answers)
    {
        var server = Script(answers);
        using var client = FakeServer.Client(server, s_atOnce);
        var events = await CollectAsync(client.SendAsync("s", Request()));
        return ([.. events.Select(e => e is TextDelta delta ? $"{delta.Text} {delta.Tokens}" : e.GetType().Name)], server);
    }

    private static async Task<List<TurnEvent>> CollectAsync(IAsyncEnumerable<TurnEvent> events)
    {
        var all = new List<TurnEvent>();
        await foreach (var happened in events) all.Add(happened);
        return all;
    }

    /// <summary>Says something, then nothing until it is closed.</summary>
    private sealed class HangingContent(byte[] bytes) : HttpContent
    {
        public bool IsClosed { get; private set; }

        protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(new Hanging(bytes));

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => throw new NotSupportedException();

        protected override bool TryComputeLength(out long length) => (length = 0) > 0;

        protected override void Dispose(bool disposing)
        {
            IsClosed = true;
            base.Dispose(disposing);
        }

        private sealed class Hanging(byte[] bytes) : MemoryStream(bytes)
        {
            public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellation = default)
            {
                if (Position == Length) await Task.Delay(Timeout.Infinite, cancellation);
                return await base.ReadAsync(buffer, cancellation);
            }
        }
    }
}
