using System.Text.Json.Serialization;

namespace LServe.Contracts.OpenAi;

/// <summary>Answer of <c>POST /v1/completions</c>, and each event of it when it is streamed.</summary>
public sealed record Completion(
    string Id, string Object, long Created, string Model, string? SystemFingerprint, IReadOnlyList<CompletionChoice> Choices,
    Usage? Usage = null)
{
    public const string ObjectName = "text_completion";
}

/// <param name="FinishReason">Null in every streamed event but the last.</param>
public sealed record CompletionChoice(
    int Index, string Text,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] CompletionLogprobs? Logprobs = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FinishReason = null);

/// <summary>Parallel lists, one entry per token.</summary>
/// <param name="Tokens">Texts; a token that is no whole character is spelled <c>bytes:\x…</c>.</param>
/// <param name="TextOffset">Characters of the answer before the token.</param>
public sealed record CompletionLogprobs(
    IReadOnlyList<string> Tokens, IReadOnlyList<float> TokenLogprobs, IReadOnlyList<Dictionary<string, float>>? TopLogprobs,
    IReadOnlyList<int> TextOffset);
