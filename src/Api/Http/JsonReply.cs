using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace LServe.Api.Http;

/// <summary>One JSON value as a whole response.</summary>
internal static class JsonReply
{
    /// <summary>Text stays readable UTF-8: replies are never part of a web page, so nothing but JSON's own escapes is needed.</summary>
    public static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static async Task WriteAsync<T>(HttpContext http, T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK)
    {
        var response = http.Response;
        response.StatusCode = status;
        response.ContentType = "application/json; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
        using (var writer = new Utf8JsonWriter(response.BodyWriter, Writing))
            JsonSerializer.Serialize(writer, value, type);
        await response.BodyWriter.FlushAsync(http.RequestAborted);
    }
}
