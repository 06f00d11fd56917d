using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>
/// One turn as its readers see it: a log of events that any number of readers follow from its beginning at their own pace, so that a
/// slow one holds nobody, and one that lost its connection joins again. Bounded by the turn's tokens. When the last reader leaves
/// before the end, the turn is cancelled.
/// </summary>
internal sealed class Turn(string id, TurnRequest request)
{
    private readonly Lock _lock = new();
    private readonly List<TurnEvent> _events = [];
    private readonly CancellationTokenSource _cancelled = new();
    private readonly Queue<int> _acknowledged = new();
    private TaskCompletionSource _changed = NewSignal();
    private ExceptionDispatchInfo? _failure;
    private bool _ended;
    private int _readers, _delivered;
    private int? _cutAt;

    public string Id { get; } = id;
    public TurnRequest Request { get; } = request;
    public CancellationToken Cancelled => _cancelled.Token;

    /// <summary>Characters of the answer that readers got before the last of them left; null when nobody left.</summary>
    public int? CutAt
    {
        get { lock (_lock) return _cutAt; }
    }

    public void Cancel() => _cancelled.Cancel();

    /// <summary>The next reader to leave got the first <paramref name="events"/> events and no more, whatever it was given.</summary>
    public void Acknowledge(int events)
    {
        lock (_lock)
            if (_readers > _acknowledged.Count)
                _acknowledged.Enqueue(events);
    }

    public void Publish(TurnEvent next)
    {
        lock (_lock) _events.Add(next);
        Signal();
    }

    public void Complete(TurnEvent last)
    {
        lock (_lock)
        {
            _events.Add(last);
            _ended = true;
        }
        Signal();
    }

    public void Fail(Exception error)
    {
        lock (_lock)
        {
            _failure = ExceptionDispatchInfo.Capture(error);
            _ended = true;
        }
        Signal();
    }

    /// <summary>All events from the first; throws the turn's failure at its end.</summary>
    public async IAsyncEnumerable<TurnEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        lock (_lock) _readers++;
        var delivered = 0;
        try
        {
            for (var at = 0; ; at++)
            {
                while (!HasEvent(at, out var changed))
                {
                    if (changed is null) yield break;
                    await changed.WaitAsync(cancellation);
                }
                cancellation.ThrowIfCancellationRequested();
                delivered = at + 1;
                yield return EventAt(at);
            }
        }
        finally
        {
            Leave(delivered);
        }
    }

    /// <summary>Whether the event is there; if not, the task that ends when something changes, or null at the end of the log.</summary>
    private bool HasEvent(int at, out Task? changed)
    {
        lock (_lock)
        {
            changed = _ended ? null : _changed.Task;
            if (at < _events.Count) return true;
            if (_ended) _failure?.Throw();
            return false;
        }
    }

    private TurnEvent EventAt(int at)
    {
        lock (_lock) return _events[at];
    }

    private void Leave(int delivered)
    {
        lock (_lock)
        {
            if (_acknowledged.TryDequeue(out var acknowledged)) delivered = Math.Min(delivered, acknowledged);
            _delivered = Math.Max(_delivered, delivered);
            if (--_readers > 0 || _ended) return;
            _cutAt ??= _events.Take(_delivered).Sum(e => e is TextDelta delta ? delta.Text.Length : 0);
        }
        _cancelled.Cancel();
    }

    private void Signal()
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            changed = _changed;
            _changed = NewSignal();
        }
        changed.TrySetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
