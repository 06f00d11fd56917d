using System.Globalization;
using LServe.Contracts;
using LServe.Contracts.OpenAi;
using LServe.Sessions;
using Microsoft.AspNetCore.Http;

namespace LServe.Api.Http;

/// <summary>Failures in OpenAI's shape, <c>{"error":{message,type,param,code}}</c>, with the status that belongs to each code.</summary>
internal static class OpenAiErrors
{
    public static int StatusOf(ErrorCode code) => code switch
    {
        ErrorCode.InvalidRequest or ErrorCode.ContextLengthExceeded => StatusCodes.Status400BadRequest,
        ErrorCode.ModelNotFound or ErrorCode.SessionNotFound => StatusCodes.Status404NotFound,
        ErrorCode.SessionConflict => StatusCodes.Status409Conflict,
        ErrorCode.RequestTooLarge => StatusCodes.Status413PayloadTooLarge,
        ErrorCode.RateLimited => StatusCodes.Status429TooManyRequests,
        ErrorCode.Cancelled => StatusCodes.Status499ClientClosedRequest,
        ErrorCode.Overloaded => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };

    /// <summary>What a client is told of a failure; of a defect, only that there was one.</summary>
    public static ErrorInfo Describe(Exception failure) => failure switch
    {
        LServeException known => known.Error,
        SessionStoreException store => store.ToPublic().Error,
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => new(ErrorCode.RequestTooLarge, "The request is too large."),
        BadHttpRequestException bad => new(ErrorCode.InvalidRequest, bad.Message),
        OperationCanceledException => new(ErrorCode.Cancelled, "The request was cancelled before it had a result."),
        _ => new(ErrorCode.Internal, "The server failed on this request; its log says why.", Retryable: true),
    };

    public static ErrorBody Body(ErrorInfo error)
    {
        var status = StatusOf(error.Code);
        return new(new(error.Message, TypeOf(status), error.Param, NameOf(error.Code)));
    }

    public static Task WriteAsync(HttpContext http, ErrorInfo error)
    {
        if (error.RetryAfterSeconds is { } seconds)
            http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return JsonReply.WriteAsync(http, Body(error), WireJson.Default.ErrorBody, StatusOf(error.Code));
    }

    /// <summary>For failures of HTTP itself, which have no <see cref="ErrorCode"/>.</summary>
    public static Task WriteAsync(HttpContext http, int status, string code, string message) =>
        JsonReply.WriteAsync(http, new(new(message, TypeOf(status), null, code)), WireJson.Default.ErrorBody, status);

    private static string TypeOf(int status) => status switch
    {
        StatusCodes.Status429TooManyRequests => "rate_limit_error",
        >= 500 => "server_error",
        _ => "invalid_request_error",
    };

    private static string NameOf(ErrorCode code) => code switch
    {
        ErrorCode.InvalidRequest => "invalid_request",
        ErrorCode.ContextLengthExceeded => "context_length_exceeded",
        ErrorCode.ModelNotFound => "model_not_found",
        ErrorCode.SessionNotFound => "session_not_found",
        ErrorCode.SessionConflict => "session_conflict",
        ErrorCode.SessionDamaged => "session_damaged",
        ErrorCode.RequestTooLarge => "request_too_large",
        ErrorCode.RateLimited => "rate_limited",
        ErrorCode.Cancelled => "cancelled",
        ErrorCode.Overloaded => "overloaded",
        _ => "internal_error",
    };
}
