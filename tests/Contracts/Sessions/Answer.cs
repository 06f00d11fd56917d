using LServe.Contracts;

namespace LServe.Tests.Contracts;

/// <summary>A turn as its reader saw it.</summary>
public sealed record Answer(IReadOnlyList<TurnEvent> Events)
{
    public TurnStarted Started => Events.OfType<TurnStarted>().Single();
    public string Text => string.Concat(Events.OfType<TextDelta>().Select(d => d.Text));
    public TurnCompleted Completed => (TurnCompleted)Events[^1];
    public FinishReason Reason => Completed.Reason;
    public TurnUsage Usage => Completed.Usage;

    public static async Task<Answer> ReadAsync(IAsyncEnumerable<TurnEvent> turn)
    {
        var events = new List<TurnEvent>();
        await foreach (var next in turn) events.Add(next);
        return new(events);
    }
}
