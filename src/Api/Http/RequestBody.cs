using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LServe.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace LServe.Api.Http;

/// <summary>Reads a JSON body of bounded size; what is wrong with it is said by place and field.</summary>
internal static class RequestBody
{
    /// <exception cref="LServeException">Too large, not JSON, or a field of the wrong type.</exception>
    public static async Task<T> ReadAsync<T>(HttpContext http, JsonTypeInfo<T> type, ApiOptions options) where T : class
    {
        // The limit is kept here, where an answer can still be sent after it.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = null;

        var reader = http.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(http.RequestAborted);
            if (read.Buffer.Length > options.MaxBodyBytes)
            {
                reader.AdvanceTo(read.Buffer.End);
                await DrainAsync(reader, options.MaxDrainedBytes, http.RequestAborted);
                throw TooLarge(options.MaxBodyBytes);
            }
            if (read.IsCompleted)
            {
                try
                {
                    return Parse(read.Buffer, type);
                }
                finally
                {
                    reader.AdvanceTo(read.Buffer.End);
                }
            }
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>Parses a whole body.</summary>
    internal static T Parse<T>(ReadOnlySequence<byte> body, JsonTypeInfo<T> type) where T : class
    {
        if (body.IsEmpty)
            throw LServeException.Invalid("The request has no body; send JSON.");
        try
        {
            var json = new Utf8JsonReader(WithoutByteOrderMark(body));
            var value = JsonSerializer.Deserialize(ref json, type) ?? throw LServeException.Invalid("The body is null; send a JSON object.");
            if (json.Read())
                throw LServeException.Invalid("There is something after the end of the JSON body.");
            return value;
        }
        catch (JsonException problem)
        {
            throw JsonProblem.Describe(problem);
        }
    }

    private static ReadOnlySequence<byte> WithoutByteOrderMark(ReadOnlySequence<byte> body)
    {
        var start = new SequenceReader<byte>(body);
        return start.IsNext([0xEF, 0xBB, 0xBF], advancePast: true) ? start.UnreadSequence : body;
    }

    private static async Task DrainAsync(PipeReader reader, long bytes, CancellationToken cancellation)
    {
        for (var read = default(ReadResult); !read.IsCompleted && bytes > 0;)
        {
            read = await reader.ReadAsync(cancellation);
            bytes -= read.Buffer.Length;
            reader.AdvanceTo(read.Buffer.End);
        }
    }

    private static LServeException TooLarge(int limit) =>
        new(new(ErrorCode.RequestTooLarge, $"The body is larger than {limit:N0} bytes, the most this server reads."));
}
