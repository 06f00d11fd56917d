using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using LServe.Contracts;

namespace LServe.Tests.Chaos;

/// <summary>What a run saw. Thread-safe while it runs.</summary>
internal sealed partial class ChaosReport
{
    private readonly ConcurrentQueue<string> _violations = new();
    private readonly ConcurrentQueue<Departure> _departures = new();
    private readonly ConcurrentQueue<(string Kind, double Seconds)> _cuts = new();
    private readonly ConcurrentQueue<double> _turns = new();
    private int _acknowledged, _unread;

    /// <summary>Broken promises.</summary>
    public IReadOnlyCollection<string> Violations => _violations;

    public IReadOnlyCollection<Departure> Departures => _departures;

    /// <summary>Turns whose end a client read.</summary>
    public int Acknowledged => _acknowledged;

    /// <summary>Of these, turns that had been committed before, unread.</summary>
    public int CommittedUnread => _unread;

    /// <summary>Streams and calls that ended with a retryable error.</summary>
    public int CutStreams => _cuts.Count;

    /// <summary>From a call's begin to its retryable error, the longest.</summary>
    public double LongestCutSeconds => _cuts.Select(cut => cut.Seconds).DefaultIfEmpty().Max();

    /// <summary>These errors by what they say, numbers and names left out, the most frequent first.</summary>
    public IReadOnlyList<CutKind> Cuts =>
        [.. _cuts.GroupBy(cut => cut.Kind).Select(g => new CutKind(g.Key, g.Count(), g.Max(cut => cut.Seconds))).OrderByDescending(kind => kind.Count)];

    /// <summary>From a turn's first call to its end, retries included: half of all, 99 of 100, and all, took no longer.</summary>
    public double[] TurnSeconds
    {
        get
        {
            var sorted = _turns.Order().ToArray();
            return sorted.Length == 0 ? [] : [sorted[sorted.Length / 2], sorted[sorted.Length * 99 / 100], sorted[^1]];
        }
    }

    public void Violate(string what) => _violations.Enqueue(what);

    public void Acknowledge(bool repeated)
    {
        Interlocked.Increment(ref _acknowledged);
        if (repeated) Interlocked.Increment(ref _unread);
    }

    public void Cut(ErrorInfo error, TimeSpan after)
    {
        if (error.Message.Length == 0) Violate("A failure says nothing.");
        _cuts.Enqueue((Particulars().Replace(error.Message, "…"), after.TotalSeconds));
    }

    /// <summary>Words with digits in them, and whatever stands in brackets.</summary>
    [GeneratedRegex(@"\S*\d\S*|\[[^\]]*\]|\{[^}]*\}")]
    private static partial Regex Particulars();

    public void TookTurn(TimeSpan time) => _turns.Enqueue(time.TotalSeconds);

    public void Left(Departure departure) => _departures.Enqueue(departure);
}

/// <param name="LongestSeconds">From the call to the error.</param>
internal sealed record CutKind(string Says, int Count, double LongestSeconds);

/// <summary>A silo that went.</summary>
/// <param name="At">Seconds from the run's begin.</param>
/// <param name="Sessions">In its memory then.</param>
/// <param name="StopSeconds">How long it took, if it was told to stop.</param>
/// <param name="ReplacedSeconds">From its end to its successor being ready.</param>
internal sealed record Departure(int Silo, double At, int Sessions, double? StopSeconds, double ReplacedSeconds);
