using System.Text.Json.Serialization;

namespace LServe.Contracts.OpenAi;

/// <summary>Tokens of a request.</summary>
/// <param name="Extension">What OpenAI's shape has no field for.</param>
public sealed record Usage(
    int PromptTokens, int CompletionTokens, int TotalTokens, PromptTokensDetails PromptTokensDetails,
    [property: JsonPropertyName("lserve")] UsageExtension Extension);

/// <param name="CachedTokens">Prompt tokens that were not computed again.</param>
public sealed record PromptTokensDetails(int CachedTokens);

/// <param name="SessionId">The kept conversation; absent when nothing was kept.</param>
/// <param name="TurnId">The turn's name, the client's or a drawn one.</param>
/// <param name="CachedTokens">Prompt tokens that were not computed again.</param>
/// <param name="SessionTokens">Tokens the session holds now.</param>
/// <param name="RestoredTokens">Of the cached ones, tokens whose keys and values were read from the store.</param>
/// <param name="RecomputedTokens">Tokens of earlier turns whose keys and values were computed again.</param>
/// <param name="ArithmeticChanged">Whether earlier turns were computed by another kind of device, vector width or kernels.</param>
/// <param name="Repeated">Whether the turn had been committed before and was not run again.</param>
/// <param name="Cancelled">Whether the answer was stopped by a client.</param>
public sealed record UsageExtension(
    string? SessionId, string TurnId, int CachedTokens, int SessionTokens, int RestoredTokens, int RecomputedTokens, bool ArithmeticChanged,
    bool Repeated, bool Cancelled)
{
    /// <summary>How the conversation attends.</summary>
    public AttentionKind Attention { get; init; }

    /// <summary>KV pages that heads read in the answer's decode steps, summed over steps, layers and KV heads.</summary>
    public long PagesRead { get; init; }

    /// <summary>KV pages that those heads held then.</summary>
    public long PagesHeld { get; init; }
}
