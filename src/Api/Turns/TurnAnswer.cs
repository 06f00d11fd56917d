using LServe.Contracts;
using LServe.Contracts.OpenAi;

namespace LServe.Api.Turns;

/// <summary>What names an answer, known from its turn's first event on.</summary>
/// <param name="Created">Unix seconds.</param>
/// <param name="Backend">What computed it; answers of one seed are equal where this is.</param>
internal sealed record TurnAnswer(TurnCall Call, TurnStarted Started, string Model, string Backend, long Created)
{
    /// <summary>OpenAI knows no cancelled answers; to its clients the answer just ended.</summary>
    public static string Name(FinishReason reason) => reason == FinishReason.Length ? "length" : "stop";

    public Usage UsageOf(TurnCompleted end) => new(
        end.Usage.PromptTokens,
        end.Usage.CompletionTokens,
        end.Usage.PromptTokens + end.Usage.CompletionTokens,
        new(end.Usage.CachedTokens),
        new(
            Call.Session?.Session, Started.TurnId, end.Usage.CachedTokens, end.Usage.SessionTokens, end.Usage.RestoredTokens,
            end.Usage.RecomputedTokens, end.Usage.ArithmeticChanged, Started.Repeated, end.Reason == FinishReason.Cancelled)
        {
            Attention = end.Usage.Attention,
            PagesRead = end.Usage.PagesRead,
            PagesHeld = end.Usage.PagesHeld,
        });
}
