using System.Runtime.InteropServices;

namespace LServe.Inference;

/// <summary>
/// The tokens of one conversation and where their keys and values are. Lives from turn to turn; while a <see cref="Generation"/> of it
/// is in progress the step loop alone changes it, between turns its owner does, through the engine.
/// </summary>
/// <param name="mode">How it attends; fixed, since streaming heads forget.</param>
public sealed class Sequence(string tenant, AttentionMode mode = AttentionMode.Dense)
{
    private readonly List<int> _tokens = [];
    private readonly List<TokenRun> _runs = [];
    private bool _beginsRun;

    /// <summary>Whose share of the engine its steps are counted to.</summary>
    public string Tenant { get; } = tenant;

    public ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(_tokens);
    public int Length => _tokens.Count;

    /// <summary>Tokens whose keys and values are in <see cref="Pages"/>: the first ones.</summary>
    public int CachedLength { get; private set; }

    /// <summary>How keys and values were computed the first time. Covers the tokens that ever had any, cached now or not.</summary>
    public IReadOnlyList<TokenRun> Runs => _runs;

    /// <summary>Tokens that ever had keys and values.</summary>
    public int ComputedLength => _runs.Count == 0 ? 0 : _runs[^1].End;

    public AttentionMode Mode { get; } = mode;

    /// <summary>Whether other idle sequences give up their pages first. Set between turns, by the sequence's owner.</summary>
    public bool IsPinned { get; set; }

    internal TwoWayPageTable Pages { get; } = new();

    /// <summary>What page selection keeps, while the sequence has pages; null for a dense one.</summary>
    internal SelectionState? Selection { get; set; }

    /// <summary>The generation in progress, or null between turns.</summary>
    internal Generation? Active { get; set; }

    /// <summary>The engine's clock when a turn last ended; the longest idle sequence gives up its pages first.</summary>
    internal long IdleSince { get; set; }

    /// <summary>Rebuilds a sequence that was saved; its pages are empty.</summary>
    public static Sequence Restore(
        string tenant, IEnumerable<int> tokens, IEnumerable<TokenRun> runs, AttentionMode mode = AttentionMode.Dense)
    {
        var sequence = new Sequence(tenant, mode);
        sequence._tokens.AddRange(tokens);
        sequence._runs.AddRange(runs);
        var end = 0;
        foreach (var run in sequence._runs)
        {
            if (run.End <= end) throw new ArgumentException("Runs must ascend.", nameof(runs));
            end = run.End;
        }
        if (end > sequence.Length) throw new ArgumentException("Runs reach beyond the tokens.", nameof(runs));
        return sequence;
    }

    /// <summary>Adds tokens between turns, by the sequence's owner; they are computed with the next prompt.</summary>
    public void AppendUncached(IReadOnlyList<int> tokens)
    {
        if (Active is not null) throw new InvalidOperationException("The sequence has a generation in progress.");
        _tokens.AddRange(tokens);
    }

    internal void Append(int token) => _tokens.Add(token);

    internal void Append(ReadOnlySpan<int> tokens) => _tokens.AddRange(tokens);

    /// <summary>A prompt begins with the first token that has no keys and values yet: a run of its own, since its query blocks begin there.</summary>
    internal void BeginPrompt() => _beginsRun = true;

    /// <summary>Notes that the next <paramref name="count"/> tokens have their keys and values now.</summary>
    internal void MarkCached(int count, SliceKind kind)
    {
        CachedLength += count;
        if (CachedLength > Length) throw new InvalidOperationException($"{CachedLength} of {Length} tokens can't be cached.");
        if (CachedLength <= ComputedLength) return;
        if (_runs.Count > 0 && _runs[^1].Kind == kind && !_beginsRun) _runs[^1] = new(CachedLength, kind);
        else _runs.Add(new(CachedLength, kind));
        _beginsRun = false;
    }

    /// <summary>How the next token's step is to be computed, and from where to where that goes.</summary>
    /// <param name="generatedFrom">First position past the current prompt.</param>
    internal (SliceKind Kind, int Start, int End) NextRun(int generatedFrom)
    {
        if (CachedLength < ComputedLength) return RunAt(CachedLength);
        if (CachedLength < generatedFrom) return (SliceKind.Prefill, ComputedLength, generatedFrom);
        // Decode steps of this turn extend the last run, which began at the end of the prompt.
        return (SliceKind.Decode, generatedFrom, int.MaxValue);
    }

    /// <summary>The run of a token that ever had keys and values; past them, a run that begins there.</summary>
    internal (SliceKind Kind, int Start, int End) RunAt(int position)
    {
        var start = 0;
        foreach (var run in _runs)
        {
            if (position < run.End) return (run.Kind, start, run.End);
            start = run.End;
        }
        return (SliceKind.Prefill, start, int.MaxValue);
    }

    /// <summary>Forgets all that was cached; the tokens and how they were computed stay.</summary>
    internal void ForgetCache()
    {
        CachedLength = 0;
        Selection = null;
    }

    /// <summary>The first <paramref name="length"/> tokens have their keys and values again.</summary>
    internal void RestoreCache(int length, SelectionState? selection) => (CachedLength, Selection) = (length, selection);

    /// <summary>Forgets what was cached from <paramref name="length"/> on; the tokens stay.</summary>
    internal void ForgetFrom(int length) => CachedLength = Math.Min(CachedLength, length);

    /// <summary>Drops the tokens from <paramref name="length"/> on.</summary>
    internal void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        _tokens.RemoveRange(length, _tokens.Count - length);
        CachedLength = Math.Min(CachedLength, length);
        while (_runs.Count > 0 && RunStart(_runs.Count - 1) >= length) _runs.RemoveAt(_runs.Count - 1);
        if (ComputedLength > length) _runs[^1] = _runs[^1] with { End = length };
    }

    private int RunStart(int index) => index == 0 ? 0 : _runs[index - 1].End;
}
