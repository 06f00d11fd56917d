using System.Net;
using System.Text;
using LServe.Client;

namespace LServe.Tests.Unit.Client;

/// <summary>Answers requests from a function, without a network, and keeps what was asked.</summary>
internal sealed class FakeServer(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
{
    public List<string> Requests { get; } = [];
    public List<string> Bodies { get; } = [];

    /// <param name="retry">Null: nothing is tried again.</param>
    public static LServeClient Client(FakeServer server, RetryOptions? retry = null, TimeProvider? time = null) =>
        new(new LServeClientOptions { Address = new("http://server.test"), ApiKey = "secret", Retry = retry ?? RetryOptions.None }, server, time);

    public static HttpResponseMessage Json(string body, HttpStatusCode status = HttpStatusCode.OK) =>
        new(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    public static HttpResponseMessage Events(params string[] events) =>
        new(HttpStatusCode.OK) { Content = new StringContent(string.Concat(events.Select(data => $"data: {data}\n\n")), Encoding.UTF8, "text/event-stream") };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        Requests.Add($"{request.Method} {request.RequestUri!.PathAndQuery} {request.Headers.Authorization}");
        Bodies.Add(request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellation));
        return answer(request);
    }
}
