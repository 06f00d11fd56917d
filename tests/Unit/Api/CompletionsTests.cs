using static LServe.Tests.Unit.Api.Requests;

namespace LServe.Tests.Unit.Api;

public sealed class CompletionsTests : IAsyncLifetime
{
    private ApiServer _server = null!;

    public async Task InitializeAsync() => _server = await ApiServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task AWholeAnswerHasOpenAisShape()
    {
        var answer = await _server.AskAsync(TextPath, """{"prompt":"Once","max_tokens":5}""");

        Assert.Equal(("text_completion", "cmpl-turn-1"), ((string?)answer["object"], (string?)answer["id"]));
        Assert.Equal("Hello world", (string?)answer["choices"]![0]!["text"]);
        Assert.Equal("stop", (string?)answer["choices"]![0]!["finish_reason"]);
        Assert.Equal(12, (int?)answer["usage"]!["total_tokens"]);
    }

    [Fact]
    public async Task AStreamIsTextThenFinishThenUsage()
    {
        using var response = await _server.PostAsync(TextPath, """{"prompt":"Once","stream":true,"stream_options":{"include_usage":true}}""");
        using var stream = await EventStream.OpenAsync(response);
        var events = await stream.AllJsonAsync();

        Assert.Equal(["Hello", " world", ""], events.SkipLast(1).Select(e => (string?)e["choices"]![0]!["text"]));
        Assert.Equal("stop", (string?)events[^2]["choices"]![0]!["finish_reason"]);
        Assert.Equal(2, (int?)events[^1]["usage"]!["completion_tokens"]);
    }

    [Theory]
    [InlineData("\"Once\"", "Once", null)]
    [InlineData("[\"Once\"]", "Once", null)]
    [InlineData("[5, 6, 7]", null, new[] { 5, 6, 7 })]
    public async Task PromptsComeAsTextOrTokens(string prompt, string? text, int[]? tokens)
    {
        await _server.AskAsync(TextPath, $$"""{"prompt":{{prompt}}}""");
        var request = _server.Host.Asked.Single().Request;

        Assert.Equal(text, request.Prompt);
        Assert.Equal(tokens, request.PromptTokens);
        Assert.Null(request.Messages);
        Assert.Equal(16, request.Sampling.MaxTokens);
    }

    [Fact]
    public async Task LogprobsAreParallelLists()
    {
        var answer = await _server.AskAsync(TextPath, """{"prompt":"x","logprobs":2}""");
        var logprobs = answer["choices"]![0]!["logprobs"]!;

        Assert.Equal(["Hello", " world"], logprobs["tokens"]!.AsArray().Select(token => (string?)token));
        Assert.Equal([0, 5], logprobs["text_offset"]!.AsArray().Select(offset => (int)offset!));
        Assert.Equal(-1.5f, (float)logprobs["top_logprobs"]![0]!["bytes:\\xe2\\x80"]!);
    }

    [Fact]
    public async Task OffsetsGoOnFromEventToEvent()
    {
        using var response = await _server.PostAsync(TextPath, """{"prompt":"x","logprobs":0,"stream":true}""");
        using var stream = await EventStream.OpenAsync(response);
        var offsets = (await stream.AllJsonAsync())
            .SelectMany(e => e["choices"]![0]!["logprobs"]?["text_offset"]!.AsArray() ?? []).Select(offset => (int)offset!);

        Assert.Equal([0, 5], offsets);
    }
}
