using System.Text.Json.Nodes;

namespace LServe.Tests.Unit.Api;

/// <summary>Reads server-sent events as the standard says: blocks that end with an empty line, <c>data:</c> lines, comments.</summary>
internal sealed class EventStream(Stream stream) : IDisposable
{
    private readonly StreamReader _reader = new(stream);

    public List<string> Comments { get; } = [];

    public static async Task<EventStream> OpenAsync(HttpResponseMessage response)
    {
        Assert.True(response.IsSuccessStatusCode, response.StatusCode.ToString());
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        return new EventStream(await response.Content.ReadAsStreamAsync());
    }

    /// <summary>The data of the next event, or null at the stream's end.</summary>
    public async Task<string?> NextAsync()
    {
        string? data = null;
        while (await _reader.ReadLineAsync() is { } line)
        {
            if (line.Length == 0 && data is not null)
                return data;
            if (line.StartsWith(':'))
                Comments.Add(line[1..].Trim());
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                data = line[6..];
            else
                Assert.Equal("", line);
        }
        return null;
    }

    /// <summary>Reads until the next comment has come.</summary>
    public async Task<string> NextCommentAsync()
    {
        var line = await _reader.ReadLineAsync();
        while (line is not null && !line.StartsWith(':'))
            line = await _reader.ReadLineAsync();
        return line![1..].Trim();
    }

    public async Task<List<string>> AllAsync()
    {
        var all = new List<string>();
        while (await NextAsync() is { } data)
            all.Add(data);
        return all;
    }

    /// <summary>All events, of which the last must be <c>[DONE]</c> and is left out.</summary>
    public async Task<List<JsonNode>> AllJsonAsync()
    {
        var all = await AllAsync();
        Assert.Equal("[DONE]", all[^1]);
        return [.. all[..^1].Select(data => JsonNode.Parse(data)!)];
    }

    public void Dispose() => _reader.Dispose();
}
