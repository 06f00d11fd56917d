using LServe.Api.Http;
using LServe.Contracts;
using LServe.Contracts.OpenAi;
using Microsoft.AspNetCore.Http;

namespace LServe.Api.Turns;

/// <summary>Answers as the project's own <see cref="TurnEvent"/>s.</summary>
internal sealed class TurnEventShape : IAnswerShape
{
    public void WriteStart(ServerSentEvents events, TurnAnswer answer) => Write(events, answer.Started);

    public void WriteProgress(ServerSentEvents events, PromptProgress progress) => Write(events, progress);

    public void WriteDelta(ServerSentEvents events, TurnAnswer answer, TextDelta delta) => Write(events, delta);

    public void WriteEnd(ServerSentEvents events, TurnAnswer answer, TurnCompleted end) => Write(events, end);

    public Task WriteWholeAsync(
        HttpContext http, TurnAnswer answer, string text, IReadOnlyList<TokenLogprob>? logprobs, TurnCompleted end) =>
        throw new NotSupportedException("Turn events are always streamed.");

    private static void Write(ServerSentEvents events, TurnEvent happened) => events.Data(happened, WireJson.Default.TurnEvent);
}
