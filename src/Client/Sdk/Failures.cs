using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LServe.Contracts;
using LServe.Contracts.OpenAi;

namespace LServe.Client;

/// <summary>Turns what HTTP says went wrong into the exception callers know.</summary>
internal static class Failures
{
    /// <summary>Characters of an answer that isn't ours to quote in a message.</summary>
    private const int QuoteLimit = 200;

    public static async Task ThrowIfFailedAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        if (response.IsSuccessStatusCode) return;
        var retryAfter = response.Headers.RetryAfter?.Delta is { } delta ? (int?)Math.Ceiling(delta.TotalSeconds) : null;
        var text = await ReadTextAsync(response, cancellation).ConfigureAwait(false);
        throw new LServeException(Translate(ErrorIn(text) ?? Foreign(response, text), response.StatusCode, retryAfter));
    }

    /// <summary>Whether the answer says that the session isn't there, rather than the path.</summary>
    public static async Task<bool> IsMissingSessionAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        if (response.StatusCode != HttpStatusCode.NotFound) return false;
        // Read into a buffer of the content's, where whoever asks next finds it.
        return ErrorIn(await ReadTextAsync(response, cancellation).ConfigureAwait(false))?.Code == "session_not_found";
    }

    public static async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        var text = await ReadTextAsync(response, cancellation).ConfigureAwait(false);
        try
        {
            return JsonSerializer.Deserialize(text, type) ?? throw new JsonException("null");
        }
        catch (JsonException problem)
        {
            throw new LServeException(new(ErrorCode.Internal, $"{response.RequestMessage?.RequestUri} gave an answer that can't be read: {Quote(text)}"), problem);
        }
    }

    private static async Task<string> ReadTextAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        try
        {
            await response.Content.LoadIntoBufferAsync(cancellation).ConfigureAwait(false);
            return await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException)
        {
            throw new LServeException(new(ErrorCode.Overloaded, "The connection ended within the answer; send the request again.", Retryable: true), problem);
        }
    }

    public static LServeException Unreachable(Uri address, Exception problem) => new(
        new(ErrorCode.Overloaded, $"No server answers at {address} ({problem.Message}). Start one with ./lserve serve, or name another address.", Retryable: true),
        problem);

    public static ErrorInfo Translate(ErrorDetail error, HttpStatusCode? status, int? retryAfterSeconds)
    {
        var code = CodeOf(error.Code) ?? CodeOf(status);
        return new(code, error.Message, error.Param, code is ErrorCode.Overloaded or ErrorCode.RateLimited, retryAfterSeconds);
    }

    private static ErrorCode? CodeOf(string? spelling)
    {
        try
        {
            return spelling is null ? null : JsonSerializer.Deserialize('"' + spelling + '"', WireJson.Default.ErrorCode);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static ErrorCode CodeOf(HttpStatusCode? status) => status switch
    {
        HttpStatusCode.Conflict => ErrorCode.SessionConflict,
        HttpStatusCode.RequestEntityTooLarge => ErrorCode.RequestTooLarge,
        HttpStatusCode.TooManyRequests => ErrorCode.RateLimited,
        HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout => ErrorCode.Overloaded,
        >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError => ErrorCode.InvalidRequest,
        _ => ErrorCode.Internal,
    };

    private static ErrorDetail? ErrorIn(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, WireJson.Default.ErrorBody)?.Error;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static ErrorDetail Foreign(HttpResponseMessage response, string text) => new(
        $"{response.RequestMessage?.RequestUri} answered {(int)response.StatusCode} {response.ReasonPhrase}: {Quote(text)}", "foreign", null, null);

    private static string Quote(string text) => text.Length <= QuoteLimit ? text : text[..QuoteLimit] + "…";
}
