using System.Text.Json.Serialization;

namespace LServe.Contracts;

/// <summary>
/// What happens during a turn, in order: one <see cref="TurnStarted"/>, any number of <see cref="PromptProgress"/>, then
/// <see cref="TextDelta"/>s, and one <see cref="TurnCompleted"/> once the turn is committed. A turn that fails ends with a
/// <see cref="LServeException"/> instead.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(TurnStarted), "started")]
[JsonDerivedType(typeof(PromptProgress), "progress")]
[JsonDerivedType(typeof(TextDelta), "delta")]
[JsonDerivedType(typeof(TurnCompleted), "completed")]
public abstract record TurnEvent;

/// <param name="TurnId">The turn's name, the client's or a drawn one.</param>
/// <param name="PromptTokens">Tokens of the whole context before the answer.</param>
/// <param name="CachedTokens">Of these, tokens whose keys and values were there already.</param>
/// <param name="Repeated">Whether this is the result of a turn that was committed before.</param>
public sealed record TurnStarted(string TurnId, int PromptTokens, int CachedTokens, bool Repeated) : TurnEvent;

/// <param name="Done">Prompt tokens processed so far in this turn.</param>
/// <param name="Total">Prompt tokens to process in this turn.</param>
public sealed record PromptProgress(int Done, int Total) : TurnEvent;

/// <param name="Text">New text: whole characters, never part of a stop string. May be empty when only log probabilities are new.</param>
/// <param name="Tokens">Tokens this delta stands for.</param>
/// <param name="Logprobs">One entry per token, when asked for.</param>
public sealed record TextDelta(string Text, int Tokens, IReadOnlyList<TokenLogprob>? Logprobs = null) : TurnEvent;

/// <param name="Reason">Why the answer ended.</param>
public sealed record TurnCompleted(FinishReason Reason, TurnUsage Usage) : TurnEvent;

/// <summary>Log probability (natural, of the model's own distribution before sampling options) of a token.</summary>
/// <param name="Bytes">The token's bytes, which need not be whole characters.</param>
public sealed record TokenLogprob(int Token, string Text, IReadOnlyList<byte> Bytes, float Logprob, IReadOnlyList<TokenLogprob>? Top = null);

[JsonConverter(typeof(JsonStringEnumConverter<FinishReason>))]
public enum FinishReason
{
    /// <summary>The model ended its answer, or a stop string was met.</summary>
    [JsonStringEnumMemberName("stop")] Stop,

    /// <summary>The turn's token limit or the context window was reached.</summary>
    [JsonStringEnumMemberName("length")] Length,

    /// <summary>The client cancelled; what was sent is kept.</summary>
    [JsonStringEnumMemberName("cancelled")] Cancelled,
}

/// <param name="PromptTokens">Tokens of the whole context before the answer.</param>
/// <param name="CompletionTokens">Tokens drawn for the answer, an end token included.</param>
/// <param name="CachedTokens">Prompt tokens that were not computed again.</param>
/// <param name="SessionTokens">Tokens the session holds now.</param>
/// <param name="RestoredTokens">Of the cached ones, tokens whose keys and values were read from the store.</param>
/// <param name="RecomputedTokens">Tokens of earlier turns whose keys and values were not at hand and were computed again.</param>
/// <param name="ArithmeticChanged">
/// Whether earlier turns were computed by another kind of device, vector width or kernels: what was kept serves, but the same question
/// there may have got another answer.
/// </param>
public sealed record TurnUsage(
    int PromptTokens, int CompletionTokens, int CachedTokens, int SessionTokens, int RestoredTokens = 0, int RecomputedTokens = 0,
    bool ArithmeticChanged = false)
{
    public AttentionKind Attention { get; init; }

    /// <summary>KV pages that heads read, over all decode steps, layers and KV heads of the turn.</summary>
    public long PagesRead { get; init; }

    /// <summary>KV pages that those heads held in those steps.</summary>
    public long PagesHeld { get; init; }
}
