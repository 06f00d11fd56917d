using LServe.Contracts;

namespace LServe.Api.Turns;

/// <summary>Reads a turn's events one by one; tells whether the next one is there already.</summary>
internal sealed class TurnEvents(IAsyncEnumerable<TurnEvent> events, CancellationToken cancellation) : IAsyncDisposable
{
    private readonly IAsyncEnumerator<TurnEvent> _events = events.GetAsyncEnumerator(cancellation);
    private Task<bool>? _next;

    /// <summary>Whether <see cref="NextAsync"/> wouldn't wait.</summary>
    public bool HasNext => Ahead.IsCompleted;

    private Task<bool> Ahead => _next ??= _events.MoveNextAsync().AsTask();

    /// <summary>The next event.</summary>
    /// <exception cref="LServeException">The turn failed.</exception>
    public async ValueTask<TurnEvent> NextAsync()
    {
        var moved = await Ahead;
        _next = null;
        return moved ? _events.Current : throw new InvalidOperationException("A turn ended without its last event.");
    }

    /// <summary>Waits for an event, at most <paramref name="patience"/>; false when there was none.</summary>
    public async ValueTask<bool> WaitAsync(TimeSpan patience, TimeProvider time)
    {
        if (Ahead.IsCompleted)
            return true;
        using var over = new CancellationTokenSource();
        var first = await Task.WhenAny(Ahead, Task.Delay(patience, time, over.Token));
        await over.CancelAsync();
        return first == Ahead;
    }

    public async ValueTask DisposeAsync()
    {
        // An enumerator can't be disposed while it moves; a turn that nobody reads has been cancelled and ends soon.
        if (_next is { } moving)
            await moving.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await _events.DisposeAsync();
    }
}
