namespace LServe.Inference;

/// <summary>
/// Gives sequences room in the page pools, and takes pages back when one is empty: first from the sequence that has been idle longest and isn't pinned,
/// then from generations that wait, then from running ones that came later than the one in need. Used by the step loop alone.
/// </summary>
public sealed class PageAllocator
{
    private readonly HashSet<Sequence> _idle = [];
    private long _clock;

    public PageAllocator(KvGeometry geometry)
    {
        Geometry = geometry;
        Retrieval = new(geometry.Pages);
        Streaming = geometry.Heads.AnyStreams ? new(geometry.StreamingPages) : null;
    }

    public KvGeometry Geometry { get; }

    public KvPagePool Retrieval { get; }

    /// <summary>Null when no head streams.</summary>
    public KvPagePool? Streaming { get; }

    /// <summary>Whether a sequence could be given room for <paramref name="tokens"/> tokens without disturbing anybody's turn.</summary>
    public bool CouldFit(Sequence sequence, int tokens)
    {
        var pages = sequence.Pages;
        var missing = KvGeometry.PagesFor(tokens) - pages.Retrieval.Length;
        if (missing > Available(Retrieval, p => p.Retrieval.Length)) return false;
        if (Streaming is null) return true;
        var held = sequence.Mode == AttentionMode.LServe ? Math.Min(KvGeometry.PagesFor(tokens), Geometry.WindowPages) : KvGeometry.PagesFor(tokens);
        return held - pages.HeldStreaming.Length <= Available(Streaming, p => p.HeldStreaming.Length);
    }

    /// <summary>The sequence's turn ended; its pages stay until somebody needs them.</summary>
    public void Park(Sequence sequence)
    {
        if (sequence.Pages.IsEmpty) return;
        sequence.IdleSince = ++_clock;
        _idle.Add(sequence);
    }

    /// <summary>The sequence's turn begins.</summary>
    public void Unpark(Sequence sequence) => _idle.Remove(sequence);

    /// <summary>Makes room for <paramref name="tokens"/> tokens in the sequence's tables.</summary>
    /// <param name="takeFromOthers">Frees some pages of a generation that must give way; false when there is none.</param>
    public bool EnsureRoom(Sequence sequence, int tokens, Func<bool> takeFromOthers)
    {
        if (sequence.Mode == AttentionMode.LServe) sequence.Selection ??= new(Geometry);
        while (sequence.Pages.Capacity < tokens)
        {
            if (!TryTake(Retrieval, takeFromOthers, out var page)) return false;
            sequence.Pages.Add(page);
        }
        while (Streaming is not null && sequence.Pages.StreamingCapacity < tokens)
        {
            if (!TryTake(Streaming, takeFromOthers, out var page)) return false;
            sequence.Pages.AddStreaming(page);
        }
        return true;
    }

    /// <summary>Whether the tables have room already.</summary>
    public bool HasRoom(Sequence sequence, int tokens) =>
        sequence.Pages.Capacity >= tokens && (Streaming is null || sequence.Pages.StreamingCapacity >= tokens)
        && (sequence.Mode == AttentionMode.Dense || sequence.Selection is not null);

    /// <summary>
    /// Gives back the pages that streaming heads of a sparse sequence won't see again, not even after a <see cref="Truncate"/> into
    /// the last page or the one before.
    /// </summary>
    public void Slide(Sequence sequence)
    {
        if (Streaming is null || sequence.Mode == AttentionMode.Dense) return;
        var options = Geometry.LServe!;
        var replayFrom = (sequence.CachedLength / KvGeometry.PageTokens - 1) * KvGeometry.PageTokens;
        var windowStart = WindowStartAt(replayFrom);
        while (sequence.Pages.TrySlide(KvGeometry.PagesFor(options.Sink), windowStart, out var page)) Streaming.Return(page);
    }

    /// <summary>Gives back all pages; the sequence must be computed again.</summary>
    public void Free(Sequence sequence)
    {
        while (sequence.Pages.Retrieval.Length > 0) Retrieval.Return(sequence.Pages.RemoveLast());
        while (sequence.Pages.HeldStreaming.Length > 0) Streaming!.Return(sequence.Pages.RemoveLastStreaming());
        sequence.ForgetCache();
        _idle.Remove(sequence);
    }

    /// <summary>Takes the pages of a shape for an empty sequence, from idle ones if need be; false, and it stays empty, if there aren't as many.</summary>
    public bool TryRestore(Sequence sequence, KvShape shape)
    {
        if (shape.PageCount > Available(Retrieval, p => p.Retrieval.Length)) return false;
        if (Streaming is not null && shape.PageCount - shape.Dropped > Available(Streaming, p => p.HeldStreaming.Length)) return false;
        for (var i = 0; i < shape.PageCount; i++) sequence.Pages.Add(Take(Retrieval));
        if (Streaming is null) return true;
        for (var i = 0; i < shape.PageCount - shape.Dropped; i++) sequence.Pages.AddStreaming(Take(Streaming));
        sequence.Pages.RestoreGap(shape);
        return true;
    }

    /// <summary>Drops the tokens from <paramref name="length"/> on, and the pages that held only them.</summary>
    public void Truncate(Sequence sequence, int length)
    {
        var cached = sequence.CachedLength;
        sequence.Truncate(length);
        Shrink(sequence, length < cached);
    }

    /// <summary>Forgets what was cached from <paramref name="length"/> on, with the pages that held only that; the tokens stay, and are computed again.</summary>
    public void Forget(Sequence sequence, int length)
    {
        var cached = sequence.CachedLength;
        sequence.ForgetFrom(length);
        Shrink(sequence, length < cached);
    }

    /// <summary>
    /// Gives back pages past what is cached. Of a sparse sequence whose cache was cut the tokens of the last page are computed again, the
    /// same way, since statistics and choices can't be taken back token by token.
    /// </summary>
    private void Shrink(Sequence sequence, bool wasCut)
    {
        if (sequence.Mode == AttentionMode.LServe && wasCut) sequence.ForgetFrom(RestartBefore(sequence, sequence.CachedLength));
        var keep = KvGeometry.PagesFor(sequence.CachedLength);
        if (keep == 0 || (sequence.Mode == AttentionMode.LServe && sequence.Pages.WindowStart > WindowStartAt(sequence.CachedLength)))
        {
            Free(sequence);
            return;
        }
        while (sequence.Pages.Retrieval.Length > keep) Retrieval.Return(sequence.Pages.RemoveLast());
        while (sequence.Pages.HeldStreaming.Length + sequence.Pages.Dropped > keep) Streaming!.Return(sequence.Pages.RemoveLastStreaming());
    }

    /// <summary>
    /// The last position from which steps can be repeated to reach <paramref name="position"/>: where a page, and with it every logical
    /// page, begins and every choice is renewed; in a prompt past its threshold also where a query block begins.
    /// </summary>
    private int RestartBefore(Sequence sequence, int position)
    {
        var restart = position / KvGeometry.PageTokens * KvGeometry.PageTokens;
        var run = sequence.RunAt(restart);
        if (run.Kind == SliceKind.Decode || Geometry.LServe!.MayCut(restart)) return restart;
        return Math.Max(run.Start, restart / LServeOptions.QueryBlock * LServeOptions.QueryBlock) is var block && block % KvGeometry.PageTokens == 0
            ? block
            : RestartBefore(sequence, block);
    }

    private int WindowStartAt(int position) => Math.Max(0, FirstSeen(position)) / KvGeometry.PageTokens;

    /// <summary>First token beyond the sink that a streaming head sees from <paramref name="position"/>.</summary>
    private int FirstSeen(int position) => position - (Geometry.LServe?.Local ?? 0) + 1;

    private int Take(KvPagePool pool) => TryTake(pool, () => false, out var page) ? page : throw new InvalidOperationException("Pages that were counted aren't there.");

    private bool TryTake(KvPagePool pool, Func<bool> takeFromOthers, out int page)
    {
        while (!pool.TryTake(out page))
            if (!EvictLongestIdle() && !takeFromOthers())
                return false;
        return true;
    }

    private int Available(KvPagePool pool, Func<TwoWayPageTable, int> held)
    {
        var available = pool.Free;
        foreach (var sequence in _idle) available += held(sequence.Pages);
        return available;
    }

    private bool EvictLongestIdle()
    {
        Sequence? longest = null;
        foreach (var sequence in _idle)
            if (longest is null || (sequence.IsPinned, sequence.IdleSince).CompareTo((longest.IsPinned, longest.IdleSince)) < 0)
                longest = sequence;
        if (longest is null) return false;
        Free(longest);
        return true;
    }
}
