using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using LServe.Api;
using LServe.Contracts;
using static LServe.Tests.Unit.Api.Requests;

namespace LServe.Tests.Unit.Api;

/// <summary>What happens to a stream whose turn fails, whose client leaves, or whose reader is slow.</summary>
public sealed class StreamingTests
{
    private const string Streamed = """{"stream":true,"messages":[{"role":"user","content":"Hi"}]}""";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task AFailureAfterTheFirstTextIsAnEventAndTheEnd()
    {
        await using var server = await ApiServer.StartAsync();
        server.Host.Script = FakeSessionHost.SayAndFail("abc", LServeException.Overloaded("The engine stopped."));
        using var response = await server.PostAsync(ChatPath, Streamed);
        using var stream = await EventStream.OpenAsync(response);
        var events = await stream.AllAsync();

        Assert.Contains("abc", events[^2], StringComparison.Ordinal);
        var error = JsonNode.Parse(events[^1])!["error"]!;
        Assert.Equal(("overloaded", "The engine stopped."), ((string?)error["code"], (string?)error["message"]));
    }

    [Fact]
    public async Task ADefectInAStreamTellsNothingOfTheInside()
    {
        await using var server = await ApiServer.StartAsync();
        server.Host.Script = FakeSessionHost.SayAndFail("abc", new InvalidOperationException("secret"));
        using var response = await server.PostAsync(ChatPath, Streamed);
        using var stream = await EventStream.OpenAsync(response);
        var last = (await stream.AllAsync())[^1];

        Assert.Contains("internal_error", last, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", last, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AClientThatLeavesCancelsItsTurn(bool stream)
    {
        await using var server = await ApiServer.StartAsync();
        server.Host.Script = server.Host.SayAndHang("abc");
        using var leave = new CancellationTokenSource();
        var request = new HttpRequestMessage(HttpMethod.Post, ChatPath)
        {
            Content = new StringContent(stream ? Streamed : Streamed.Replace("true", "false"), Encoding.UTF8, "application/json"),
        };
        var sending = server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, leave.Token);
        if (stream)
        {
            using var response = await sending;
            using var events = await EventStream.OpenAsync(response);
            Assert.Contains("assistant", await events.NextAsync(), StringComparison.Ordinal);
            Assert.Contains("abc", await events.NextAsync(), StringComparison.Ordinal);
        }
        else
        {
            while (server.Host.Asked.IsEmpty)
                await Task.Yield();
            await leave.CancelAsync();
        }

        await server.Host.Cancelled.WaitAsync(Patience);
    }

    [Fact]
    public async Task ManyTurnsAtOnceAreBounded()
    {
        await using var server = await ApiServer.StartAsync(new ApiOptions { MaxConcurrentTurns = 1 });
        server.Host.Script = server.Host.SayAndHang("abc");
        using (var first = await server.PostAsync(ChatPath, Streamed))
        {
            using var second = await server.PostAsync(ChatPath, Streamed);
            await ErrorAssert.IsAsync(second, HttpStatusCode.TooManyRequests, "rate_limited", null);
            Assert.Equal("1", second.Headers.GetValues("Retry-After").Single());
        }
        await server.Host.Cancelled.WaitAsync(Patience);

        server.Host.Script = FakeSessionHost.Say("free again");
        HttpResponseMessage third;
        while ((third = await server.PostAsync(ChatPath, Streamed)).StatusCode == HttpStatusCode.TooManyRequests)
            third.Dispose();
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
        third.Dispose();
    }

    [Fact]
    public async Task ASilentTurnIsKeptAliveByComments()
    {
        await using var server = await ApiServer.StartAsync(new ApiOptions { KeepAlive = TimeSpan.FromMilliseconds(1) });
        server.Host.Script = server.Host.SayAndHang("abc");
        using var response = await server.PostAsync(ChatPath, Streamed);
        using var stream = await EventStream.OpenAsync(response);

        Assert.Equal("waiting", await stream.NextCommentAsync());
        Assert.Equal("waiting", await stream.NextCommentAsync());
    }

    [Fact]
    public async Task AReaderThatTakesNothingHoldsTheTurnBackAndIsGivenUpInTheEnd()
    {
        await using var server = await ApiServer.StartAsync(new ApiOptions { ReaderPatience = TimeSpan.FromMilliseconds(200) });
        var produced = new Produced();
        server.Host.Script = produced.Play;
        using var client = new TcpClient { ReceiveBufferSize = 4096 };
        await client.ConnectAsync(IPAddress.Loopback, server.Http.BaseAddress!.Port);
        var head = $"POST {ChatPath} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {Streamed.Length}\r\n\r\n{Streamed}";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head));

        await produced.Ended.WaitAsync(Patience);
        Assert.InRange(produced.Events, 1, Produced.Endless - 1);
    }

    /// <summary>A turn that would say gigabytes if it were let.</summary>
    private sealed class Produced
    {
        public const int Endless = 100_000;
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Events { get; private set; }

        public Task Ended => _ended.Task;

        public async IAsyncEnumerable<TurnEvent> Play(TurnRequest request, [EnumeratorCancellation] CancellationToken cancellation)
        {
            try
            {
                yield return new TurnStarted("turn-1", 1, 0, Repeated: false);
                var text = new string('x', 16 << 10);
                for (; Events < Endless && !cancellation.IsCancellationRequested; Events++)
                    yield return new TextDelta(text, 1);
                await Task.Yield();
            }
            finally
            {
                _ended.SetResult();
            }
        }
    }
}
