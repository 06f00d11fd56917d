using LServe.Contracts;
using static LServe.Tests.Unit.Api.Requests;

namespace LServe.Tests.Unit.Api;

public sealed class ChatCompletionsTests : IAsyncLifetime
{
    private ApiServer _server = null!;

    public async Task InitializeAsync() => _server = await ApiServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task AWholeAnswerHasOpenAisShape()
    {
        var answer = await _server.AskAsync(ChatPath, Hello);

        Assert.Equal("chat.completion", (string?)answer["object"]);
        Assert.Equal("chatcmpl-turn-1", (string?)answer["id"]);
        Assert.Equal("fake-model", (string?)answer["model"]);
        var choice = answer["choices"]!.AsArray().Single()!;
        Assert.Equal("Hello world", (string?)choice["message"]!["content"]);
        Assert.Equal("assistant", (string?)choice["message"]!["role"]);
        Assert.Equal("stop", (string?)choice["finish_reason"]);
        Assert.Equal(12, (int?)answer["usage"]!["total_tokens"]);
        Assert.Equal(4, (int?)answer["usage"]!["prompt_tokens_details"]!["cached_tokens"]);
        Assert.Equal(12, (int?)answer["usage"]!["lserve"]!["session_tokens"]);
    }

    [Fact]
    public async Task AStreamHasRoleDeltasFinishAndDone()
    {
        using var response = await _server.PostAsync(ChatPath, HelloWith("\"stream\":true"));
        using var stream = await EventStream.OpenAsync(response);
        var chunks = await stream.AllJsonAsync();

        Assert.All(chunks, chunk => Assert.Equal("chat.completion.chunk", (string?)chunk["object"]));
        Assert.Equal("assistant", (string?)chunks[0]["choices"]![0]!["delta"]!["role"]);
        Assert.Equal("Hello world", string.Concat(chunks.Select(chunk => (string?)chunk["choices"]![0]!["delta"]!["content"])));
        Assert.All(chunks.SkipLast(1), chunk => Assert.Null(chunk["choices"]![0]!["finish_reason"]));
        Assert.Equal("stop", (string?)chunks[^1]["choices"]![0]!["finish_reason"]);
        Assert.All(chunks, chunk => Assert.Null(chunk["usage"]));
        Assert.Equal(["prompt 3/6"], stream.Comments);
    }

    [Fact]
    public async Task UsageComesInAChunkOfItsOwnWhenAskedFor()
    {
        using var response = await _server.PostAsync(ChatPath, HelloWith("\"stream\":true,\"stream_options\":{\"include_usage\":true}"));
        using var stream = await EventStream.OpenAsync(response);
        var last = (await stream.AllJsonAsync())[^1];

        Assert.Empty(last["choices"]!.AsArray());
        Assert.Equal(10, (int?)last["usage"]!["prompt_tokens"]);
        Assert.Equal("turn-1", (string?)last["usage"]!["lserve"]!["turn_id"]);
    }

    [Theory]
    [InlineData(FinishReason.Length, "length")]
    [InlineData(FinishReason.Cancelled, "stop")]
    public async Task FinishReasonsAreOpenAis(FinishReason reason, string expected)
    {
        _server.Host.Script = FakeSessionHost.SayThen(reason, "a");
        var answer = await _server.AskAsync(ChatPath, Hello);

        Assert.Equal(expected, (string?)answer["choices"]![0]!["finish_reason"]);
        Assert.Equal(reason == FinishReason.Cancelled, (bool?)answer["usage"]!["lserve"]!["cancelled"]);
    }

    [Fact]
    public async Task EveryOptionReachesTheHost()
    {
        await _server.AskAsync(ChatPath, """
            {"model":"default","messages":[
               {"role":"developer","content":"Be brief."},
               {"role":"user","name":"eve","content":[{"type":"text","text":"one "},{"text":"two","type":"text","x":[{"y":1}]}]},
               {"role":"assistant","content":""},{"role":"user","content":"<|im_end|>"}],
             "n":1,"user":"ignored","store":{"deep":[1,2]},"tools":[],"response_format":{"type":"text"},
             "max_tokens":9,"max_completion_tokens":7,"temperature":0.5,"top_p":0.9,"top_k":40,"min_p":0.05,
             "repetition_penalty":1.1,"presence_penalty":-1,"frequency_penalty":2,"logit_bias":{"17":-100,"4":0.5},
             "seed":9007199254740993,"stop":["x","y"],"logprobs":true,"top_logprobs":3,"ignore_eos":true}
            """);
        var request = _server.Host.Asked.Single().Request;

        Assert.Equal(
            [new("system", "Be brief."), new("user", "one two"), new("assistant", ""), new ChatMessage("user", "<|im_end|>")],
            request.Messages!);
        var sampling = request.Sampling;
        Assert.Equal((0.5f, 0.9f, 40, 0.05f), (sampling.Temperature, sampling.TopP, sampling.TopK, sampling.MinP));
        Assert.Equal((1.1f, -1f, 2f), (sampling.RepetitionPenalty, sampling.PresencePenalty, sampling.FrequencyPenalty));
        Assert.Equal((7, 9007199254740993L, true), (sampling.MaxTokens, sampling.Seed, sampling.IgnoreEnd));
        Assert.Equal((true, 3), (sampling.Logprobs, sampling.TopLogprobs));
        Assert.Equal(["x", "y"], sampling.Stop!);
        Assert.Equal(new Dictionary<int, float> { [17] = -100, [4] = 0.5f }, sampling.LogitBias!);
    }

    [Fact]
    public async Task WhatIsNotSentIsOpenAisDefault()
    {
        await _server.AskAsync(ChatPath, HelloWith("\"temperature\":null,\"max_tokens\":null,\"stop\":null,\"stream\":null"));

        Assert.Equal(new SamplingOptions(), _server.Host.Asked.Single().Request.Sampling);
    }

    [Fact]
    public async Task LogprobsComeWithBytesAndAlternatives()
    {
        var answer = await _server.AskAsync(ChatPath, HelloWith("\"logprobs\":true,\"top_logprobs\":2"));
        var tokens = answer["choices"]![0]!["logprobs"]!["content"]!.AsArray();

        Assert.Equal(["Hello", " world"], tokens.Select(token => (string?)token!["token"]));
        Assert.Equal(-0.25f, (float)tokens[0]!["logprob"]!);
        Assert.Equal([0xE2, 0x80], tokens[0]!["top_logprobs"]![1]!["bytes"]!.AsArray().Select(b => (int)b!));
    }

    [Fact]
    public async Task StreamedLogprobsComeWithTheirDeltas()
    {
        using var response = await _server.PostAsync(ChatPath, HelloWith("\"logprobs\":true,\"stream\":true"));
        using var stream = await EventStream.OpenAsync(response);
        var tokens = (await stream.AllJsonAsync())
            .SelectMany(chunk => chunk["choices"]![0]!["logprobs"]?["content"]!.AsArray() ?? [])
            .Select(token => (string?)token!["token"]);

        Assert.Equal(["Hello", " world"], tokens);
    }

    [Fact]
    public async Task TextIsPlainUtf8()
    {
        _server.Host.Script = FakeSessionHost.Say("<b>“é” 日本 🙂\n\"");
        using var response = await _server.PostAsync(ChatPath, HelloWith("\"stream\":true"));
        var raw = await response.Content.ReadAsStringAsync();

        Assert.Contains("<b>“é” 日本", raw, StringComparison.Ordinal);
        using var stream = new EventStream(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(raw)));
        Assert.Equal(
            "<b>“é” 日本 🙂\n\"", string.Concat((await stream.AllJsonAsync()).Select(c => (string?)c["choices"]![0]!["delta"]!["content"])));
    }
}
