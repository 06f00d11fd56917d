namespace LServe.Tests.Contracts;

/// <summary>A clock that stands still until a test moves it.</summary>
public sealed class ManualTime : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<Timer> _timers = [];
    private DateTimeOffset _now = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private TimeSpan _setBack;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock) return _now - _setBack;
    }

    public override long GetTimestamp()
    {
        lock (_lock) return _now.Ticks;
    }

    /// <summary>Somebody sets the clock: the time of day goes back, time itself doesn't.</summary>
    public void SetBack(TimeSpan by)
    {
        lock (_lock) _setBack += by;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        lock (_lock) _timers.Add(timer);
        return timer;
    }

    /// <summary>Moves on, and calls each timer that became due once.</summary>
    public void Advance(TimeSpan by)
    {
        Timer[] due;
        lock (_lock)
        {
            _now += by;
            due = [.. _timers.Where(t => t.Due <= _now)];
        }
        foreach (var timer in due) timer.Fire();
    }

    private sealed class Timer(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;

        public DateTimeOffset Due { get; private set; } = DateTimeOffset.MaxValue;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            (Due, _period) = (After(dueTime), period);
            return true;
        }

        public void Fire()
        {
            Due = After(_period);
            callback(state);
        }

        public void Dispose()
        {
            lock (time._lock) time._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private DateTimeOffset After(TimeSpan span) => span == Timeout.InfiniteTimeSpan ? DateTimeOffset.MaxValue : new DateTimeOffset(time.GetTimestamp(), TimeSpan.Zero) + span;
    }
}
