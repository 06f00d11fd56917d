using System.Text.Json.Serialization;

namespace LServe.Contracts.OpenAi;

/// <summary>Answer of <c>POST /v1/chat/completions</c> without streaming.</summary>
public sealed record ChatCompletion(
    string Id, string Object, long Created, string Model, string? SystemFingerprint, IReadOnlyList<ChatChoice> Choices, Usage? Usage)
{
    public const string ObjectName = "chat.completion";
}

public sealed record ChatChoice(
    int Index, AnswerMessage Message,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] ChatLogprobs? Logprobs,
    string FinishReason);

/// <param name="Refusal">Always null; clients expect the field.</param>
public sealed record AnswerMessage(
    string Role, string Content, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Refusal = null);

/// <summary>One event of a streamed chat completion.</summary>
public sealed record ChatCompletionChunk(
    string Id, string Object, long Created, string Model, string? SystemFingerprint, IReadOnlyList<ChatChunkChoice> Choices,
    Usage? Usage = null)
{
    public const string ObjectName = "chat.completion.chunk";
}

/// <param name="FinishReason">Null in every chunk but the last.</param>
public sealed record ChatChunkChoice(
    int Index, ChatDelta Delta, ChatLogprobs? Logprobs = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FinishReason = null);

public sealed record ChatDelta(string? Role = null, string? Content = null);

/// <param name="Content">One entry per token.</param>
public sealed record ChatLogprobs(IReadOnlyList<ChatTokenLogprob> Content);

/// <param name="Bytes">The token's bytes, which need not be whole characters.</param>
public sealed record ChatTokenLogprob(
    string Token, float Logprob, IReadOnlyList<int> Bytes, IReadOnlyList<ChatTokenAlternative> TopLogprobs);

/// <param name="Bytes">The token's bytes, which need not be whole characters.</param>
public sealed record ChatTokenAlternative(string Token, float Logprob, IReadOnlyList<int> Bytes);
