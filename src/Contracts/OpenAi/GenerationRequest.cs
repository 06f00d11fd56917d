using System.Text.Json;
using System.Text.Json.Serialization;

namespace LServe.Contracts.OpenAi;

/// <summary>
/// What a chat completion and a text completion have in common. Null means "not sent". Ranges are those of
/// <see cref="SamplingOptions"/>; fields that aren't named here are ignored.
/// </summary>
public abstract record GenerationRequest
{
    /// <summary>The served model's name or <c>default</c>; null is <c>default</c>.</summary>
    public string? Model { get; init; }
    public bool? Stream { get; init; }
    public StreamOptions? StreamOptions { get; init; }

    /// <summary>Answers wanted; only 1 is served.</summary>
    public int? N { get; init; }
    public int? MaxTokens { get; init; }
    public double? Temperature { get; init; }
    public double? TopP { get; init; }
    public int? TopK { get; init; }
    public double? MinP { get; init; }
    public double? RepetitionPenalty { get; init; }
    public double? PresencePenalty { get; init; }
    public double? FrequencyPenalty { get; init; }

    /// <summary>Token id, written as a string → number added to its logit.</summary>
    public Dictionary<string, double>? LogitBias { get; init; }
    public long? Seed { get; init; }

    /// <summary>One text or an array of texts.</summary>
    [JsonConverter(typeof(OneOrManyTextsConverter))]
    public IReadOnlyList<string>? Stop { get; init; }

    /// <summary>An extension: go on past the end token until the token limit.</summary>
    public bool? IgnoreEos { get; init; }

    /// <summary>An extension: <c>dense</c> or <c>lserve</c>, of the first turn of a conversation or of a request that keeps nothing.</summary>
    public AttentionKind? Attention { get; init; }

    /// <summary>An extension: seconds that the session's pages stay in memory, see <see cref="TurnRequest.KeepAlive"/>.</summary>
    public int? KeepAlive { get; init; }

    /// <summary>An extension: see <see cref="TurnRequest.Replay"/>.</summary>
    public bool? Replay { get; init; }
    public RequestMetadata? Metadata { get; init; }
}

/// <param name="IncludeUsage">Whether a last chunk carries the usage.</param>
public sealed record StreamOptions(bool? IncludeUsage = null);

/// <summary>The two entries of <c>metadata</c> that the server reads; others are ignored.</summary>
/// <param name="SessionId">The kept conversation that this request continues.</param>
/// <param name="TurnId">The client's name for this turn.</param>
public sealed record RequestMetadata(string? SessionId = null, string? TurnId = null);

/// <summary>Body of <c>POST /v1/chat/completions</c>.</summary>
public sealed record ChatCompletionRequest : GenerationRequest
{
    public IReadOnlyList<RequestMessage>? Messages { get; init; }

    /// <summary>The newer name of <see cref="GenerationRequest.MaxTokens"/>, which it overrides.</summary>
    public int? MaxCompletionTokens { get; init; }
    public bool? Logprobs { get; init; }
    public int? TopLogprobs { get; init; }

    /// <summary>Not supported; kept to be refused instead of ignored.</summary>
    public JsonElement? Tools { get; init; }

    /// <summary>Not supported; kept to be refused instead of ignored.</summary>
    public JsonElement? Functions { get; init; }
    public ResponseFormat? ResponseFormat { get; init; }
}

/// <param name="Type">Only <c>text</c> is served.</param>
public sealed record ResponseFormat(string? Type = null);

/// <summary>A message as clients send it.</summary>
/// <param name="Role"><c>system</c>, <c>developer</c>, <c>user</c> or <c>assistant</c>.</param>
/// <param name="Content">A text, or an array of text parts, which are joined.</param>
public sealed record RequestMessage(
    string? Role = null, [property: JsonConverter(typeof(MessageContentConverter))] string? Content = null);

/// <summary>Body of <c>POST /v1/completions</c>.</summary>
public sealed record CompletionRequest : GenerationRequest
{
    [JsonConverter(typeof(CompletionPromptConverter))]
    public CompletionPrompt? Prompt { get; init; }

    /// <summary>Alternatives per token; null gives no log probabilities.</summary>
    public int? Logprobs { get; init; }

    /// <summary>Not supported; kept to be refused instead of ignored.</summary>
    public bool? Echo { get; init; }

    /// <summary>Not supported; kept to be refused instead of ignored.</summary>
    public string? Suffix { get; init; }

    /// <summary>Only 1 is served.</summary>
    public int? BestOf { get; init; }
}

/// <summary>A prompt as text or as token ids; exactly one is set.</summary>
public sealed record CompletionPrompt(string? Text, IReadOnlyList<int>? Tokens);
