using LServe.Api.Http;
using LServe.Contracts;
using LServe.Contracts.OpenAi;
using Microsoft.AspNetCore.Http;

namespace LServe.Api.Turns;

/// <summary>Answers as OpenAI's text completions.</summary>
internal sealed class TextShape(bool includeUsage) : IAnswerShape
{
    private readonly TextLogprobs _logprobs = new();

    public void WriteStart(ServerSentEvents events, TurnAnswer answer)
    {
    }

    public void WriteProgress(ServerSentEvents events, PromptProgress progress) => events.Comment($"prompt {progress.Done}/{progress.Total}");

    public void WriteDelta(ServerSentEvents events, TurnAnswer answer, TextDelta delta) =>
        events.Data(Event(answer, [new(0, delta.Text, _logprobs.Convert(delta.Logprobs))]), WireJson.Default.Completion);

    public void WriteEnd(ServerSentEvents events, TurnAnswer answer, TurnCompleted end)
    {
        events.Data(Event(answer, [new(0, "", FinishReason: TurnAnswer.Name(end.Reason))]), WireJson.Default.Completion);
        if (includeUsage)
            events.Data(Event(answer, [], answer.UsageOf(end)), WireJson.Default.Completion);
        events.Done();
    }

    public Task WriteWholeAsync(
        HttpContext http, TurnAnswer answer, string text, IReadOnlyList<TokenLogprob>? logprobs, TurnCompleted end)
    {
        var choice = new CompletionChoice(0, text, _logprobs.Convert(logprobs), TurnAnswer.Name(end.Reason));
        return JsonReply.WriteAsync(http, Event(answer, [choice], answer.UsageOf(end)), WireJson.Default.Completion);
    }

    private static Completion Event(TurnAnswer answer, IReadOnlyList<CompletionChoice> choices, Usage? usage = null) =>
        new("cmpl-" + answer.Started.TurnId, Completion.ObjectName, answer.Created, answer.Model, answer.Backend, choices, usage);
}
