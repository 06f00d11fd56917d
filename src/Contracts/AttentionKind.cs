using System.Text.Json.Serialization;

namespace LServe.Contracts;

/// <summary>How a conversation attends to what came before. Fixed by its first turn: heads that stream forget what left their window.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AttentionKind>))]
public enum AttentionKind
{
    /// <summary>Every head reads every token.</summary>
    [JsonStringEnumMemberName("dense")] Dense,

    /// <summary>LServe's sparse attention (arXiv 2502.14866): some heads stream, the others read the pages they choose.</summary>
    [JsonStringEnumMemberName("lserve")] LServe,
}
