using System.ClientModel;
using System.ClientModel.Primitives;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Models;

namespace LServe.Tests.EndToEnd;

/// <summary>The server through OpenAI's own .NET library.</summary>
public sealed class OpenAiLibraryTests(TinyServer server) : IClassFixture<TinyServer>
{
    private static readonly ChatMessage[] s_hello = [new SystemChatMessage("Be kind."), new UserChatMessage("Hello there")];

    [Fact]
    public async Task AChatIsAnswered()
    {
        ChatCompletion answer = await Client().CompleteChatAsync(s_hello, Greedy(12));

        Assert.Equal(ChatMessageRole.Assistant, answer.Role);
        Assert.Equal(ChatFinishReason.Length, answer.FinishReason);
        Assert.Equal(12, answer.Usage.OutputTokenCount);
        Assert.NotEmpty(answer.Content[0].Text);
    }

    [Fact]
    public async Task AStreamSaysTheSameAsTheWholeAnswer()
    {
        ChatCompletion whole = await Client().CompleteChatAsync(s_hello, Greedy(20));
        var (text, finish, tokens) = ("", default(ChatFinishReason?), 0);
        await foreach (var update in Client().CompleteChatStreamingAsync(s_hello, Greedy(20)))
        {
            text += string.Concat(update.ContentUpdate.Select(part => part.Text));
            finish ??= update.FinishReason;
            tokens = update.Usage?.OutputTokenCount ?? tokens;
        }

        Assert.Equal(whole.Content[0].Text, text);
        Assert.Equal((ChatFinishReason.Length, 20), (finish, tokens));
    }

    [Fact]
    public async Task ASeedDrawsTheSameAnswerAgain()
    {
        var options = new ChatCompletionOptions { MaxOutputTokenCount = 16, Temperature = 1.5f, Seed = 7 };
        ChatCompletion first = await Client().CompleteChatAsync(s_hello, options);
        ChatCompletion again = await Client().CompleteChatAsync(s_hello, options);
        ChatCompletion greedy = await Client().CompleteChatAsync(s_hello, Greedy(16));

        Assert.Equal(first.Content[0].Text, again.Content[0].Text);
        Assert.NotEqual(first.Content[0].Text, greedy.Content[0].Text);
    }

    [Fact]
    public async Task AStopStringEndsTheAnswerBeforeIt()
    {
        ChatCompletion whole = await Client().CompleteChatAsync(s_hello, Greedy(20));
        var text = whole.Content[0].Text;
        var options = Greedy(20);
        var stop = text.Substring(text.Length / 2, 3);
        options.StopSequences.Add(stop);
        ChatCompletion stopped = await Client().CompleteChatAsync(s_hello, options);

        Assert.Equal(ChatFinishReason.Stop, stopped.FinishReason);
        Assert.Equal(text[..text.IndexOf(stop, StringComparison.Ordinal)], stopped.Content.Count == 0 ? "" : stopped.Content[0].Text);
    }

    [Fact]
    public async Task LogProbabilitiesAreThoseOfTheChosenTokens()
    {
        var options = Greedy(8);
        (options.IncludeLogProbabilities, options.TopLogProbabilityCount) = (true, 3);
        ChatCompletion answer = await Client().CompleteChatAsync(s_hello, options);

        Assert.Equal(8, answer.ContentTokenLogProbabilities.Count);
        Assert.Equal(answer.Content[0].Text, string.Concat(answer.ContentTokenLogProbabilities.Select(token => token.Token)));
        foreach (var token in answer.ContentTokenLogProbabilities)
        {
            Assert.Equal(3, token.TopLogProbabilities.Count);
            Assert.Equal(token.LogProbability, token.TopLogProbabilities.Max(top => top.LogProbability), 4);
        }
    }

    [Fact]
    public async Task ASessionNamedByMetadataComputesOnlyWhatIsNew()
    {
        var session = Guid.NewGuid().ToString();
        ChatCompletion first = await Client().CompleteChatAsync([new UserChatMessage("Hello")], InSession(session));
        ChatCompletion second = await Client().CompleteChatAsync([new UserChatMessage("Go on")], InSession(session));

        Assert.True(second.Usage.InputTokenDetails.CachedTokenCount >= first.Usage.InputTokenCount);

        // The whole conversation, repeated with a suffix, continues the same session.
        ChatCompletion third = await Client().CompleteChatAsync(
            [
                new UserChatMessage("Hello"), new AssistantChatMessage(first.Content[0].Text), new UserChatMessage("Go on"),
                new AssistantChatMessage(second.Content[0].Text), new UserChatMessage("And?"),
            ],
            InSession(session));
        Assert.True(third.Usage.InputTokenDetails.CachedTokenCount >= second.Usage.InputTokenCount);
    }

    [Fact]
    public async Task ATurnThatIsSentAgainIsNotRunAgain()
    {
        var client = Client(("X-Session-Id", Guid.NewGuid().ToString()), ("X-Turn-Id", "only-once"));
        var options = new ChatCompletionOptions { MaxOutputTokenCount = 12, Temperature = 2 };
        ChatCompletion first = await client.CompleteChatAsync([new UserChatMessage("Hello")], options);
        ChatCompletion again = await client.CompleteChatAsync([new UserChatMessage("Hello")], options);

        Assert.Equal((first.Id, first.Content[0].Text), (again.Id, again.Content[0].Text));
        Assert.Equal(first.Usage.TotalTokenCount, again.Usage.TotalTokenCount);
    }

    [Fact]
    public async Task MessagesThatContradictASessionAreAConflict()
    {
        var client = Client(("X-Session-Id", Guid.NewGuid().ToString()));
        await client.CompleteChatAsync([new UserChatMessage("Hello")], Greedy(4));

        var failure = await Assert.ThrowsAsync<ClientResultException>(async () => await client.CompleteChatAsync(
            [new UserChatMessage("Hello"), new AssistantChatMessage("Never said"), new UserChatMessage("Go on")], Greedy(4)));
        Assert.Equal(409, failure.Status);
    }

    [Fact]
    public async Task RefusalsAreTheLibrarysExceptions()
    {
        var options = Greedy(4);
        options.Temperature = 3;
        var range = await Assert.ThrowsAsync<ClientResultException>(async () => await Client().CompleteChatAsync(s_hello, options));
        Assert.Equal(400, range.Status);
        Assert.Contains("temperature", range.Message, StringComparison.Ordinal);

        var model = await Assert.ThrowsAsync<ClientResultException>(async () =>
            await new ChatClient("gpt-5", new ApiKeyCredential("none"), Options()).CompleteChatAsync(s_hello));
        Assert.Equal(404, model.Status);

        var tooLong = await Assert.ThrowsAsync<ClientResultException>(async () =>
            await Client().CompleteChatAsync([new UserChatMessage(string.Concat(Enumerable.Repeat("many words ", 5_000)))], Greedy(4)));
        Assert.Equal(400, tooLong.Status);
        Assert.Contains("context_length_exceeded", tooLong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheModelIsListed()
    {
        OpenAIModelCollection models = await new OpenAIModelClient(new ApiKeyCredential("none"), Options()).GetModelsAsync();

        Assert.NotEmpty(models.Single().Id);
    }

    private static ChatCompletionOptions Greedy(int tokens) => new() { MaxOutputTokenCount = tokens, Temperature = 0 };

    private static ChatCompletionOptions InSession(string session)
    {
        var options = Greedy(10);
        options.Metadata["session_id"] = session;
        return options;
    }

    private ChatClient Client(params (string Name, string Value)[] headers) =>
        new("default", new ApiKeyCredential("none"), Options(headers));

    private OpenAIClientOptions Options(params (string Name, string Value)[] headers)
    {
        var options = new OpenAIClientOptions { Endpoint = new Uri(server.Address, "v1"), RetryPolicy = new ClientRetryPolicy(0) };
        options.AddPolicy(new AddHeaders(headers), PipelinePosition.PerCall);
        return options;
    }

    private sealed class AddHeaders((string Name, string Value)[] headers) : PipelinePolicy
    {
        public override void Process(PipelineMessage message, IReadOnlyList<PipelinePolicy> pipeline, int index)
        {
            Add(message);
            ProcessNext(message, pipeline, index);
        }

        public override ValueTask ProcessAsync(PipelineMessage message, IReadOnlyList<PipelinePolicy> pipeline, int index)
        {
            Add(message);
            return ProcessNextAsync(message, pipeline, index);
        }

        private void Add(PipelineMessage message)
        {
            foreach (var (name, value) in headers)
                message.Request.Headers.Set(name, value);
        }
    }
}
