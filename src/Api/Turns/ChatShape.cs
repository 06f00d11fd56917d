using LServe.Api.Http;
using LServe.Contracts;
using LServe.Contracts.OpenAi;
using Microsoft.AspNetCore.Http;

namespace LServe.Api.Turns;

/// <summary>Answers as OpenAI's chat completions.</summary>
internal sealed class ChatShape(bool includeUsage) : IAnswerShape
{
    public void WriteStart(ServerSentEvents events, TurnAnswer answer) =>
        Write(events, answer, new ChatChunkChoice(0, new ChatDelta(ChatMessage.Assistant, "")));

    public void WriteProgress(ServerSentEvents events, PromptProgress progress) => events.Comment($"prompt {progress.Done}/{progress.Total}");

    public void WriteDelta(ServerSentEvents events, TurnAnswer answer, TextDelta delta) =>
        Write(events, answer, new ChatChunkChoice(0, new ChatDelta(Content: delta.Text), Convert(delta.Logprobs)));

    public void WriteEnd(ServerSentEvents events, TurnAnswer answer, TurnCompleted end)
    {
        Write(events, answer, new ChatChunkChoice(0, new ChatDelta(), FinishReason: TurnAnswer.Name(end.Reason)));
        if (includeUsage)
            events.Data(Chunk(answer, [], answer.UsageOf(end)), WireJson.Default.ChatCompletionChunk);
        events.Done();
    }

    public Task WriteWholeAsync(
        HttpContext http, TurnAnswer answer, string text, IReadOnlyList<TokenLogprob>? logprobs, TurnCompleted end)
    {
        var choice = new ChatChoice(0, new(ChatMessage.Assistant, text), Convert(logprobs), TurnAnswer.Name(end.Reason));
        var whole = new ChatCompletion(
            IdOf(answer), ChatCompletion.ObjectName, answer.Created, answer.Model, answer.Backend, [choice], answer.UsageOf(end));
        return JsonReply.WriteAsync(http, whole, WireJson.Default.ChatCompletion);
    }

    private static void Write(ServerSentEvents events, TurnAnswer answer, ChatChunkChoice choice) =>
        events.Data(Chunk(answer, [choice], null), WireJson.Default.ChatCompletionChunk);

    private static ChatCompletionChunk Chunk(TurnAnswer answer, IReadOnlyList<ChatChunkChoice> choices, Usage? usage) =>
        new(IdOf(answer), ChatCompletionChunk.ObjectName, answer.Created, answer.Model, answer.Backend, choices, usage);

    private static string IdOf(TurnAnswer answer) => "chatcmpl-" + answer.Started.TurnId;

    private static ChatLogprobs? Convert(IReadOnlyList<TokenLogprob>? tokens) =>
        tokens is null ? null : new([.. tokens.Select(Convert)]);

    private static ChatTokenLogprob Convert(TokenLogprob token) => new(
        token.Text, token.Logprob, [.. token.Bytes],
        [.. (token.Top ?? []).Select(top => new ChatTokenAlternative(top.Text, top.Logprob, [.. top.Bytes]))]);
}
