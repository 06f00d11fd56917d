using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace LServe.Api.Http;

/// <summary>
/// A response as a stream of events (https://html.spec.whatwg.org/multipage/server-sent-events.html): <c>data:</c> lines of JSON,
/// comments that clients ignore. Writing gathers; <see cref="FlushAsync"/> sends. Used by one request at a time.
/// </summary>
internal sealed class ServerSentEvents : IDisposable
{
    private readonly HttpContext _http;
    private readonly ApiServices _api;
    private readonly PipeWriter _output;
    private readonly Utf8JsonWriter _json;

    public ServerSentEvents(HttpContext http, ApiServices api)
    {
        (_http, _api, _output) = (http, api, http.Response.BodyWriter);
        _json = new Utf8JsonWriter(_output, JsonReply.Writing);
        http.Response.ContentType = "text/event-stream; charset=utf-8";
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        http.Response.Headers["X-Accel-Buffering"] = "no";

        // How long a slow reader is waited for is decided by ReaderPatience, not by a byte rate.
        if (http.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
            rate.MinDataRate = null;
    }

    /// <summary>Whether so much is gathered that it should be sent before more is.</summary>
    public bool IsFull => _output.CanGetUnflushedBytes && _output.UnflushedBytes >= _api.Options.StreamBufferBytes;

    public void Data<T>(T value, JsonTypeInfo<T> type)
    {
        _output.Write("data: "u8);
        JsonSerializer.Serialize(_json, value, type);
        _json.Flush();
        _json.Reset();
        _output.Write("\n\n"u8);
    }

    /// <summary>OpenAI's mark of a stream that is complete.</summary>
    public void Done() => _output.Write("data: [DONE]\n\n"u8);

    /// <param name="text">One line.</param>
    public void Comment(string text)
    {
        _output.Write(": "u8);
        Encoding.UTF8.GetBytes(text, _output);
        _output.Write("\n\n"u8);
    }

    /// <exception cref="OperationCanceledException">The client is gone, or read nothing for as long as it is waited for.</exception>
    public async ValueTask FlushAsync()
    {
        var flush = _output.FlushAsync(_http.RequestAborted);
        if (flush.IsCompletedSuccessfully)
            return;
        try
        {
            await flush.AsTask().WaitAsync(_api.Options.ReaderPatience, _api.Time, _http.RequestAborted);
        }
        catch (TimeoutException)
        {
            _http.Abort();
            throw new OperationCanceledException("The reader took nothing for too long.", _http.RequestAborted);
        }
    }

    public void Dispose() => _json.Dispose();
}
