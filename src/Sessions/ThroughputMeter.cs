namespace LServe.Sessions;

/// <summary>Tokens per second between readings at least a second apart; the last figure in between.</summary>
internal sealed class ThroughputMeter(TimeProvider time)
{
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private long _since = time.GetTimestamp();
    private long _tokens;
    private double _rate;

    /// <param name="tokens">Tokens generated since start.</param>
    public double Read(long tokens)
    {
        lock (_lock)
        {
            var elapsed = time.GetElapsedTime(_since);
            if (elapsed < s_window) return _rate;
            _rate = (tokens - _tokens) / elapsed.TotalSeconds;
            (_since, _tokens) = (time.GetTimestamp(), tokens);
            return _rate;
        }
    }
}
