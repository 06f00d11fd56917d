namespace LServe.Inference;

/// <summary>
/// Gives sequences room in the page pool, and takes pages back when it is empty: first from the sequence that has been idle longest,
/// then from generations that wait, then from running ones that came later than the one in need. Used by the step loop alone.
/// </summary>
public sealed class PageAllocator(KvPagePool pool)
{
    private readonly HashSet<Sequence> _idle = [];
    private long _clock;

    public KvPagePool Pool => pool;

    /// <summary>Pages that could be had without disturbing anybody's turn.</summary>
    public int Available
    {
        get
        {
            var available = pool.Free;
            foreach (var sequence in _idle) available += sequence.Pages.Retrieval.Length;
            return available;
        }
    }

    /// <summary>The sequence's turn ended; its pages stay until somebody needs them.</summary>
    public void Park(Sequence sequence)
    {
        if (sequence.Pages.Capacity == 0) return;
        sequence.IdleSince = ++_clock;
        _idle.Add(sequence);
    }

    /// <summary>The sequence's turn begins.</summary>
    public void Unpark(Sequence sequence) => _idle.Remove(sequence);

    /// <summary>
    /// Makes room for <paramref name="tokens"/> tokens in the sequence's table.
    /// </summary>
    /// <param name="takeFromOthers">Frees some pages of a generation that must give way; false when there is none.</param>
    public bool EnsureRoom(Sequence sequence, int tokens, Func<bool> takeFromOthers)
    {
        while (sequence.Pages.Capacity < tokens)
        {
            if (pool.TryTake(out var page)) sequence.Pages.Add(page);
            else if (!EvictLongestIdle() && !takeFromOthers()) return false;
        }
        return true;
    }

    /// <summary>Gives back all pages; the sequence must be computed again.</summary>
    public void Free(Sequence sequence)
    {
        while (sequence.Pages.Capacity > 0) pool.Return(sequence.Pages.RemoveLast());
        sequence.ForgetCache();
        _idle.Remove(sequence);
    }

    /// <summary>Drops the tokens from <paramref name="length"/> on, and the pages that held only them.</summary>
    public void Truncate(Sequence sequence, int length)
    {
        sequence.Truncate(length);
        var keep = KvGeometry.PagesFor(sequence.CachedLength);
        while (sequence.Pages.Retrieval.Length > keep) pool.Return(sequence.Pages.RemoveLast());
        if (keep == 0) _idle.Remove(sequence);
    }

    private bool EvictLongestIdle()
    {
        Sequence? longest = null;
        foreach (var sequence in _idle)
            if (longest is null || sequence.IdleSince < longest.IdleSince)
                longest = sequence;
        if (longest is null) return false;
        Free(longest);
        return true;
    }
}
