using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using LServe.Contracts;
using LServe.Contracts.OpenAi;

namespace LServe.Client;

/// <summary>Reads the events of a turn from server-sent events: one JSON object per event, an <c>error</c> object in place of the last.</summary>
internal static class TurnEventStream
{
    public static async IAsyncEnumerable<TurnEvent> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var events = SseParser.Create(stream, static (_, data) => Parse(data)).EnumerateAsync(cancellation).GetAsyncEnumerator(cancellation);
        await using var _ = events.ConfigureAwait(false);
        while (await MoveNextAsync(events).ConfigureAwait(false))
        {
            yield return events.Current.Data;
            if (events.Current.Data is TurnCompleted) yield break;
        }
        throw Broken(null);
    }

    private static async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<SseItem<TurnEvent>> events)
    {
        try
        {
            return await events.MoveNextAsync().ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is IOException or JsonException or HttpRequestException)
        {
            throw Broken(problem);
        }
    }

    private static TurnEvent Parse(ReadOnlySpan<byte> data)
    {
        var reader = new Utf8JsonReader(data);
        using var json = JsonDocument.ParseValue(ref reader);
        if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("error", out _))
            throw new LServeException(Failures.Translate(json.RootElement.Deserialize(WireJson.Default.ErrorBody)!.Error, status: null, retryAfterSeconds: null));
        return json.RootElement.Deserialize(WireJson.Default.TurnEvent) ?? throw new JsonException("An event is null.");
    }

    private static LServeException Broken(Exception? problem) => new(
        new(ErrorCode.Overloaded, "The connection ended before the turn was committed; sending the same turn id again returns its result or runs it.", Retryable: true),
        problem);
}
