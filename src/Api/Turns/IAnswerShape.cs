using LServe.Api.Http;
using LServe.Contracts;
using Microsoft.AspNetCore.Http;

namespace LServe.Api.Turns;

/// <summary>How an answer is written on the wire: streamed as events, or whole. One instance serves one answer.</summary>
internal interface IAnswerShape
{
    /// <summary>What comes before the first text.</summary>
    void WriteStart(ServerSentEvents events, TurnAnswer answer);

    void WriteProgress(ServerSentEvents events, PromptProgress progress);

    void WriteDelta(ServerSentEvents events, TurnAnswer answer, TextDelta delta);

    /// <summary>What closes a stream that is complete.</summary>
    void WriteEnd(ServerSentEvents events, TurnAnswer answer, TurnCompleted end);

    Task WriteWholeAsync(HttpContext http, TurnAnswer answer, string text, IReadOnlyList<TokenLogprob>? logprobs, TurnCompleted end);
}
