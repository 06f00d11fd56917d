using LServe.Contracts;

namespace LServe.Client;

/// <summary>One stream of a turn's events. Whoever leaves it before its end says so first, so that the turn is cut where its reader was.</summary>
internal sealed class TurnAttempt(
    Func<TurnRequest, CancellationToken, IAsyncEnumerable<TurnEvent>> send, TurnRequest request, Func<Task>? leave) : IAsyncDisposable
{
    private readonly CancellationTokenSource _closing = new();
    private IAsyncEnumerator<TurnEvent>? _events;
    private Task<bool>? _moving;
    private bool _over;

    /// <exception cref="LServeException">The turn or its stream failed.</exception>
    public async Task<TurnEvent> NextAsync(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        _events ??= send(request, _closing.Token).GetAsyncEnumerator(CancellationToken.None);
        _moving = _events.MoveNextAsync().AsTask();
        try
        {
            if (!await _moving.WaitAsync(cancellation).ConfigureAwait(false)) throw new LServeException(new(ErrorCode.Internal, "The turn's events ended without telling how."));
        }
        catch (LServeException)
        {
            _over = true;
            throw;
        }
        _over = _events.Current is TurnCompleted;
        return _events.Current;
    }

    /// <summary>Does something whose failure doesn't mean that nobody wants the turn.</summary>
    public T Keep<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (LServeException)
        {
            _over = true;
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_over && leave is not null && _events is not null) await leave().ConfigureAwait(false);
        await _closing.CancelAsync().ConfigureAwait(false);
        // An enumerator can't be disposed while it moves.
        if (_moving is not null) await ((Task)_moving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_events is not null) await _events.DisposeAsync().ConfigureAwait(false);
        _closing.Dispose();
    }
}
