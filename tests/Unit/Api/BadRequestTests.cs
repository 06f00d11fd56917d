using System.Net;
using System.Text;
using LServe.Api;
using LServe.Contracts;
using static LServe.Tests.Unit.Api.Requests;

namespace LServe.Tests.Unit.Api;

/// <summary>Every request that is refused, and that the server serves on after it.</summary>
public sealed class BadRequestTests : IAsyncLifetime
{
    private ApiServer _server = null!;

    public async Task InitializeAsync() => _server = await ApiServer.StartAsync(new ApiOptions { MaxConcurrentTurns = 2 });

    public async Task DisposeAsync()
    {
        // Whatever was refused, the next request is served.
        _server.Host.Script = FakeSessionHost.Say("on");
        await _server.AskAsync(ChatPath, Hello);
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("\"n\":2", "n")]
    [InlineData("\"temperature\":-1", "temperature")]
    [InlineData("\"temperature\":2.01", "temperature")]
    [InlineData("\"temperature\":1e999", "temperature")]
    [InlineData("\"temperature\":\"hot\"", "temperature")]
    [InlineData("\"top_p\":0", "top_p")]
    [InlineData("\"top_p\":1.5", "top_p")]
    [InlineData("\"top_k\":-2", "top_k")]
    [InlineData("\"top_k\":1.5", "top_k")]
    [InlineData("\"min_p\":1", "min_p")]
    [InlineData("\"repetition_penalty\":0", "repetition_penalty")]
    [InlineData("\"presence_penalty\":3", "presence_penalty")]
    [InlineData("\"frequency_penalty\":-3", "frequency_penalty")]
    [InlineData("\"max_tokens\":0", "max_tokens")]
    [InlineData("\"max_tokens\":1e30", "max_tokens")]
    [InlineData("\"max_completion_tokens\":-5", "max_completion_tokens")]
    [InlineData("\"top_logprobs\":2", "top_logprobs")]
    [InlineData("\"logprobs\":true,\"top_logprobs\":21", "top_logprobs")]
    [InlineData("\"logprobs\":true,\"top_logprobs\":-1", "top_logprobs")]
    [InlineData("\"logit_bias\":{\"x\":1}", "logit_bias")]
    [InlineData("\"logit_bias\":{\"5\":101}", "logit_bias")]
    [InlineData("\"logit_bias\":{\"-5\":1}", "logit_bias")]
    [InlineData("\"stop\":\"\"", "stop")]
    [InlineData("\"stop\":[\"a\",7]", "stop")]
    [InlineData("\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\",\"14\",\"15\",\"16\",\"17\"]", "stop")]
    [InlineData("\"seed\":\"x\"", "seed")]
    [InlineData("\"tools\":[{\"type\":\"function\"}]", "tools")]
    [InlineData("\"functions\":[{\"name\":\"f\"}]", "functions")]
    [InlineData("\"response_format\":{\"type\":\"json_object\"}", "response_format")]
    [InlineData("\"messages\":[]", "messages")]
    [InlineData("\"messages\":null", "messages")]
    [InlineData("\"messages\":[null]", "messages[0].role")]
    [InlineData("\"messages\":[{\"role\":\"user\"}]", "messages[0].content")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"tool\",\"content\":\"b\"}]", "messages[1].role")]
    [InlineData("\"messages\":[{\"role\":\"wizard\",\"content\":\"b\"}]", "messages[0].role")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{}}]}]", "messages")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]", "messages")]
    [InlineData("\"messages\":[{\"role\":\"user\",\"content\":7}]", "messages[0].content")]
    [InlineData("\"stream\":\"yes\"", "stream")]
    public async Task AChatFieldThatCantBeServedIsNamed(string field, string param)
    {
        using var response = await _server.PostAsync(ChatPath, HelloWith(field));

        await ErrorAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid_request", param);
        Assert.Empty(_server.Host.Asked);
    }

    [Theory]
    [InlineData("{}", "prompt")]
    [InlineData("{\"prompt\":[]}", "prompt")]
    [InlineData("{\"prompt\":[\"a\",\"b\"]}", "prompt")]
    [InlineData("{\"prompt\":[[1,2]]}", "prompt")]
    [InlineData("{\"prompt\":[1,\"b\"]}", "prompt")]
    [InlineData("{\"prompt\":[-1]}", "prompt")]
    [InlineData("{\"prompt\":7}", "prompt")]
    [InlineData("{\"prompt\":\"a\",\"echo\":true}", "echo")]
    [InlineData("{\"prompt\":\"a\",\"suffix\":\"b\"}", "suffix")]
    [InlineData("{\"prompt\":\"a\",\"best_of\":2}", "best_of")]
    [InlineData("{\"prompt\":\"a\",\"logprobs\":21}", "logprobs")]
    [InlineData("{\"prompt\":\"a\",\"logprobs\":true}", "logprobs")]
    public async Task ATextFieldThatCantBeServedIsNamed(string body, string param)
    {
        using var response = await _server.PostAsync(TextPath, body);

        await ErrorAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid_request", param);
    }

    [Theory]
    [InlineData("", "no body")]
    [InlineData("null", "null")]
    [InlineData("[1]", "object")]
    [InlineData("\"text\"", "object")]
    [InlineData("{\"messages\":\n  [}", "line 2, byte 4")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"Hi", "line 1")]
    [InlineData("{} {}", "JSON")]
    [InlineData("{\"model\":\"\\ud800\"}", "")]
    public async Task ABodyThatIsNoJsonObjectIsRefusedWithItsPlace(string body, string explanation)
    {
        using var response = await _server.PostAsync(ChatPath, body);

        var error = await ReadAsync(response);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(explanation, error, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", error, StringComparison.Ordinal);
        Assert.DoesNotContain("LServe.", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BytesThatAreNoUtf8AreRefused()
    {
        var body = new ByteArrayContent([.. "{\"messages\":[{\"role\":\"user\",\"content\":\""u8, 0xFF, 0xC0, .. "\"}]}"u8]);
        using var response = await _server.Http.PostAsync(ChatPath, body);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task DeepNestingIsRefused()
    {
        using var response = await _server.PostAsync(ChatPath, "{\"x\":" + new string('[', 100_000));

        await ErrorAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid_request", null);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TenMegabytesAreTooLarge(bool knownLength)
    {
        var bytes = Encoding.UTF8.GetBytes("{\"messages\":[{\"role\":\"user\",\"content\":\"" + new string('a', 10 << 20) + "\"}]}");
        var request = new HttpRequestMessage(HttpMethod.Post, ChatPath) { Content = new ByteArrayContent(bytes) };
        request.Headers.TransferEncodingChunked = !knownLength;
        using var response = await _server.Http.SendAsync(request);

        await ErrorAssert.IsAsync(response, HttpStatusCode.RequestEntityTooLarge, "request_too_large", null);
    }

    [Fact]
    public async Task AByteOrderMarkIsAllowed()
    {
        using var response = await _server.Http.PostAsync(ChatPath, new ByteArrayContent([0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Hello)]));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task AnotherModelIsNotFound()
    {
        using var response = await _server.PostAsync(ChatPath, HelloWith("\"model\":\"gpt-5\""));

        var message = await ErrorAssert.IsAsync(response, HttpStatusCode.NotFound, "model_not_found", "model");
        Assert.Contains("fake-model", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AModelThatCantChatSaysSo()
    {
        _server.Host.Status = _server.Host.Status with { CanChat = false, ChatProblem = "Its template is unknown." };
        using var response = await _server.PostAsync(ChatPath, Hello);
        _server.Host.Status = _server.Host.Status with { CanChat = true };

        var message = await ErrorAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid_request", "model");
        Assert.Contains("Its template is unknown.", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ErrorCode.ContextLengthExceeded, 400, "context_length_exceeded", "invalid_request_error")]
    [InlineData(ErrorCode.SessionConflict, 409, "session_conflict", "invalid_request_error")]
    [InlineData(ErrorCode.RateLimited, 429, "rate_limited", "rate_limit_error")]
    [InlineData(ErrorCode.Overloaded, 503, "overloaded", "server_error")]
    [InlineData(ErrorCode.Internal, 500, "internal_error", "server_error")]
    public async Task FailuresOfTheHostHaveTheirStatus(ErrorCode code, int status, string name, string type)
    {
        _server.Host.Script = FakeSessionHost.Fail(new LServeException(new(code, "Because.", "messages", RetryAfterSeconds: 7)));
        using var response = await _server.PostAsync(ChatPath, HelloWith("\"stream\":true"));

        Assert.Equal("Because.", await ErrorAssert.IsAsync(response, (HttpStatusCode)status, name, "messages"));
        Assert.Contains(type, await ReadAsync(response), StringComparison.Ordinal);
        Assert.Equal("7", response.Headers.GetValues("Retry-After").Single());
    }

    [Fact]
    public async Task ADefectIsA500ThatTellsNothingOfTheInside()
    {
        _server.Host.Script = FakeSessionHost.Fail(new InvalidOperationException("secret path"));
        using var response = await _server.PostAsync(ChatPath, Hello);

        var message = await ErrorAssert.IsAsync(response, HttpStatusCode.InternalServerError, "internal_error", null);
        Assert.DoesNotContain("secret", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PathsAndPagesThatDontBelongHereAreRefused()
    {
        using var path = await _server.PostAsync("/v1/embeddings", "{}");
        await ErrorAssert.IsAsync(path, HttpStatusCode.NotFound, "not_found", null);
        using var method = await _server.Http.GetAsync(ChatPath);
        await ErrorAssert.IsAsync(method, HttpStatusCode.NotFound, "not_found", null);
        using var foreign = await _server.PostAsync(ChatPath, Hello, ("Origin", "https://elsewhere.example"));
        await ErrorAssert.IsAsync(foreign, HttpStatusCode.Forbidden, "cross_origin", null);
        using var own = await _server.PostAsync(ChatPath, Hello, ("Origin", _server.Http.BaseAddress!.GetLeftPart(UriPartial.Authority)));
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
    }

    private static Task<string> ReadAsync(HttpResponseMessage response) => response.Content.ReadAsStringAsync();
}
