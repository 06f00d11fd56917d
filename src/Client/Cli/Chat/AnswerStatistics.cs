using System.Globalization;
using LServe.Contracts;

namespace LServe.Cli.Chat;

/// <summary>Figures of one answer as its reader saw them.</summary>
/// <param name="ToFirst">Time from sending to the first text.</param>
/// <param name="Decoding">Time from the first text to the last.</param>
internal sealed record AnswerStatistics(TurnUsage Usage, FinishReason Reason, TimeSpan ToFirst, TimeSpan Decoding)
{
    public override string ToString()
    {
        var rate = Usage.CompletionTokens > 1 && Decoding > TimeSpan.Zero ? (Usage.CompletionTokens - 1) / Decoding.TotalSeconds : 0;
        var parts = new List<string> { FormattableString.Invariant($"{Usage.CompletionTokens} tokens") };
        if (rate > 0) parts.Add(FormattableString.Invariant($"{rate:0.0} tokens/s"));
        parts.Add(FormattableString.Invariant($"first after {ToFirst.TotalSeconds:0.00} s"));
        parts.Add(FormattableString.Invariant($"{Usage.CachedTokens} of {Usage.PromptTokens} prompt tokens reused"));
        if (Reason == FinishReason.Length) parts.Add("cut at the token limit");
        return string.Join(" · ", parts);
    }
}
