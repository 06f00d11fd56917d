using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LServe.Tests.Unit.Api;

/// <summary>Readers that may come back: a broken connection isn't the end of their turn, their leaving is.</summary>
public sealed class ResumableTurnTests : IAsyncLifetime
{
    private const string Turn = """{"turn_id":"t1","messages":[{"role":"user","content":"Hi"}]}""";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private ApiServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await ApiServer.StartAsync();
        _server.Host.Script = _server.Host.SayAndHang("abc");
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task WithoutAskingForItABrokenConnectionStopsTheTurn()
    {
        await BeginAndBreakAsync("");
        await _server.Host.Cancelled.WaitAsync(s_patience);
    }

    [Fact]
    public async Task ATurnOutlivesItsConnectionUntilItsReaderLeaves()
    {
        await BeginAndBreakAsync("X-Resume-Within: 60\r\n");
        // The server knows of the broken connection by now, or hears of it while the reader leaves: either way it waits for one of the two.
        using var other = await LeaveAsync("t2");
        Assert.Contains("\"cancelled\":false", await other.Content.ReadAsStringAsync());
        Assert.False(_server.Host.Cancelled.IsCompleted);
        using var left = await LeaveAsync("t1");
        Assert.Contains("\"cancelled\":true", await left.Content.ReadAsStringAsync());
        await _server.Host.Cancelled.WaitAsync(s_patience);
    }

    [Fact]
    public async Task AReaderWhoDoesNotComeBackInTimeIsGivenUp()
    {
        await BeginAndBreakAsync("X-Resume-Within: 1\r\n");
        await _server.Host.Cancelled.WaitAsync(s_patience);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("61")]
    [InlineData("soon")]
    public async Task ATimeThatIsNoneIsRefused(string seconds)
    {
        using var response = await _server.PostAsync("/v1/sessions/s/turns", Turn, ("X-Resume-Within", seconds));
        await ErrorAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid_request", "X-Resume-Within");
    }

    [Fact]
    public async Task LeavingNamesATurn()
    {
        using var response = await _server.PostAsync("/v1/sessions/s/leave", "");
        await ErrorAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid_request", "X-Turn-Id");
    }

    private Task<HttpResponseMessage> LeaveAsync(string turn) => _server.PostAsync("/v1/sessions/s/leave", "", ("X-Turn-Id", turn));

    /// <summary>Reads a turn up to its first text, then is cut off.</summary>
    private async Task BeginAndBreakAsync(string headers)
    {
        using var client = new TcpClient { LingerState = new(true, 0) };
        await client.ConnectAsync(IPAddress.Loopback, _server.Http.BaseAddress!.Port);
        var request = $"POST /v1/sessions/s/turns HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Type: application/json\r\nContent-Length: {Turn.Length}\r\n\r\n{Turn}";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request));
        var (seen, buffer) = ("", new byte[4096]);
        while (!seen.Contains("abc"))
        {
            var read = await client.GetStream().ReadAsync(buffer).AsTask().WaitAsync(s_patience);
            Assert.True(read > 0, seen);
            seen += Encoding.UTF8.GetString(buffer, 0, read);
        }
    }
}
