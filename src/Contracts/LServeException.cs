using System.Text.Json.Serialization;

namespace LServe.Contracts;

/// <summary>Why a request failed, for programs. The comment gives the HTTP status.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ErrorCode>))]
public enum ErrorCode
{
    /// <summary>400: the request is wrong; <see cref="ErrorInfo.Param"/> names the field.</summary>
    [JsonStringEnumMemberName("invalid_request")] InvalidRequest,
    /// <summary>400: prompt and answer don't fit the context window.</summary>
    [JsonStringEnumMemberName("context_length_exceeded")] ContextLengthExceeded,
    /// <summary>404: no such model.</summary>
    [JsonStringEnumMemberName("model_not_found")] ModelNotFound,
    /// <summary>404: no such session.</summary>
    [JsonStringEnumMemberName("session_not_found")] SessionNotFound,
    /// <summary>409: the messages contradict what the session keeps.</summary>
    [JsonStringEnumMemberName("session_conflict")] SessionConflict,
    /// <summary>500: what is kept of the session is damaged; the message says how far it can be rewound.</summary>
    [JsonStringEnumMemberName("session_damaged")] SessionDamaged,
    /// <summary>413: the request is larger than the server reads.</summary>
    [JsonStringEnumMemberName("request_too_large")] RequestTooLarge,
    /// <summary>429: a quota or a session's waiting room is full; try again.</summary>
    [JsonStringEnumMemberName("rate_limited")] RateLimited,
    /// <summary>499: the client went away or cancelled before anything was committed.</summary>
    [JsonStringEnumMemberName("cancelled")] Cancelled,
    /// <summary>500: a defect of the server.</summary>
    [JsonStringEnumMemberName("internal_error")] Internal,
    /// <summary>503: the engine is full, stopping or restarting; try again.</summary>
    [JsonStringEnumMemberName("overloaded")] Overloaded,
}

/// <summary>A failure as a value.</summary>
/// <param name="Message">What is wrong and what to do about it.</param>
/// <param name="Param">The field at fault, in the request's spelling.</param>
/// <param name="Retryable">Whether the same request may succeed later.</param>
/// <param name="RetryAfterSeconds">When to try again, if known.</param>
public sealed record ErrorInfo(ErrorCode Code, string Message, string? Param = null, bool Retryable = false, int? RetryAfterSeconds = null);

/// <summary>The one exception that crosses the public surface; <see cref="Error"/> says all a caller can act on.</summary>
public sealed class LServeException(ErrorInfo error, Exception? inner = null) : Exception(error.Message, inner)
{
    public ErrorInfo Error { get; } = error;

    public static LServeException Invalid(string message, string? param = null) => new(new(ErrorCode.InvalidRequest, message, param));

    public static LServeException Overloaded(string message, int retryAfterSeconds = 1) =>
        new(new(ErrorCode.Overloaded, message, Retryable: true, RetryAfterSeconds: retryAfterSeconds));

    public static LServeException RateLimited(string message, int retryAfterSeconds = 1) =>
        new(new(ErrorCode.RateLimited, message, Retryable: true, RetryAfterSeconds: retryAfterSeconds));
}
