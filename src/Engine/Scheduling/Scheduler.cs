using LServe.Model;

namespace LServe.Inference;

/// <summary>
/// Decides what each step computes and what its result means. Generations wait, then run (in order of admission), then end; every
/// generation is in exactly one of these lists. Used by the step loop alone.
/// </summary>
public sealed class Scheduler
{
    private readonly ModelConfig _config;
    private readonly EngineOptions _options;
    private readonly HashSet<int> _endTokens;
    private readonly Sampler _sampler;
    private readonly TenantShares _shares = new();
    private readonly PageAllocator _pages;
    private readonly StepPlanner _planner;
    private readonly List<Generation> _waiting = [], _running = [];
    private readonly Action _ended;
    private long _tickets;

    /// <param name="options">Resolved ones (<see cref="EngineLimits"/>).</param>
    /// <param name="uniformRows">See <see cref="BackendInfo.UniformRows"/>.</param>
    /// <param name="ended">Called once for every generation that leaves.</param>
    public Scheduler(
        ModelConfig config, EngineOptions options, bool uniformRows, IReadOnlyList<int> endTokens, PageAllocator pages, Action ended)
    {
        (_config, _options, _pages, _ended) = (config, options, pages, ended);
        _endTokens = [.. endTokens];
        _sampler = new(config.VocabularySize);
        _planner = new(options, uniformRows, _shares, pages, GiveWay);
    }

    public int Running => _running.Count;
    public int Waiting => _waiting.Count;

    /// <summary>Tokens still to be computed of all generations, apart from the one that each decode step computes.</summary>
    public long QueuedTokens => Uncached(_waiting) + Uncached(_running);

    /// <summary>Pages of a pool that generations hold.</summary>
    public int PagesBusy(KvPool pool) => Held(_waiting, pool) + Held(_running, pool);

    public long PromptTokens { get; private set; }
    public long GeneratedTokens { get; private set; }
    public long Preemptions { get; private set; }

    /// <summary>Of all decode steps.</summary>
    public PageReads Pages { get; private set; }

    /// <summary>Begins a generation: its prompt joins the sequence, and it waits for a place.</summary>
    public void Enqueue(Generation generation)
    {
        _pages.Unpark(generation.Sequence);
        generation.Begin();
        generation.Ticket = ++_tickets;
        if (generation.Sampling.CountsTokens) generation.Counts = [];
        _shares.Enter(generation.Sequence.Tenant);
        _waiting.Add(generation);
    }

    /// <summary>The next step, or null when there is nothing to compute now.</summary>
    public StepPlan? Plan()
    {
        DropCancelled(_waiting);
        DropCancelled(_running);
        Admit();
        return _planner.Plan(_running);
    }

    /// <summary>Takes the step's result: lengths grow, tokens are drawn and told, generations end.</summary>
    /// <param name="logits">[LogitRows, vocabulary].</param>
    public void Commit(ReadOnlySpan<float> logits)
    {
        var row = 0;
        foreach (var work in _planner.Work)
        {
            var sequence = work.Generation.Sequence;
            sequence.MarkCached(work.Count, work.RecordAs);
            _pages.Slide(sequence);
            _shares.Add(sequence.Tenant, work.Count);
            if (work.Kind == SliceKind.Prefill) CommitPrefill(work);
            else CountPages(work.Generation);
            if (work.WantsLogits) CommitToken(work.Generation, logits.Slice(row++ * _config.VocabularySize, _config.VocabularySize));
        }
    }

    /// <summary>Ends every running generation whose step failed; their caches can't be trusted any more.</summary>
    public void FailRunning(Exception error)
    {
        while (_running.Count > 0)
        {
            var generation = _running[^1];
            _pages.Free(generation.Sequence);
            End(_running, generation, TokenEvent.OfFailure(error));
        }
    }

    /// <summary>Ends everything, for a stop.</summary>
    public void FailAll(Exception error)
    {
        while (_waiting.Count > 0) End(_waiting, _waiting[^1], TokenEvent.OfFailure(error));
        while (_running.Count > 0) End(_running, _running[^1], TokenEvent.OfFailure(error));
    }

    private void CommitPrefill(in StepWork work)
    {
        PromptTokens += work.Count;
        var generation = work.Generation;
        generation.PublishProgress(
            Math.Max(0, generation.Sequence.CachedLength - generation.CachedAtStart), generation.PromptLength - generation.CachedAtStart);
    }

    private void CountPages(Generation generation)
    {
        var reads = PageReads.OfStep(_pages.Geometry, generation.Sequence.Mode, generation.Sequence.CachedLength - 1);
        generation.Pages += reads;
        Pages += reads;
    }

    private void CommitToken(Generation generation, ReadOnlySpan<float> logits)
    {
        var sequence = generation.Sequence;
        var sampled = _sampler.Sample(logits, generation.Sampling, sequence.Tokens, generation.Counts, generation.Generated);
        sequence.Append(sampled.Token);
        generation.Generated++;
        GeneratedTokens++;
        if (generation.Counts is { } counts) counts[sampled.Token] = counts.GetValueOrDefault(sampled.Token) + 1;
        var ended = !generation.Sampling.IgnoreEnd && _endTokens.Contains(sampled.Token);
        generation.Publish(TokenEvent.OfToken(sampled, ended));
        if (ended) End(_running, generation, TokenEvent.OfEnd(StopCause.EndToken));
        else if (generation.Generated >= generation.MaxTokens || sequence.Length >= _options.ContextLength)
            End(_running, generation, TokenEvent.OfEnd(StopCause.Length));
    }

    private static int Held(List<Generation> list, KvPool pool)
    {
        var pages = 0;
        foreach (var generation in list)
            pages += pool == KvPool.Retrieval ? generation.Sequence.Pages.Retrieval.Length : generation.Sequence.Pages.HeldStreaming.Length;
        return pages;
    }

    private static long Uncached(List<Generation> list)
    {
        var tokens = 0L;
        foreach (var generation in list)
            if (generation.Sequence.Length - generation.Sequence.CachedLength is var missing and > 1)
                tokens += missing;
        return tokens;
    }

    private void DropCancelled(List<Generation> list)
    {
        for (var i = list.Count - 1; i >= 0; i--)
            if (list[i].CancelRequested)
                End(list, list[i], TokenEvent.OfEnd(StopCause.Cancelled));
    }

    private void End(List<Generation> list, Generation generation, TokenEvent last)
    {
        list.Remove(generation);
        var sequence = generation.Sequence;
        sequence.Active = null;
        _shares.Leave(sequence.Tenant);
        _pages.Park(sequence);
        generation.Complete(last);
        _ended();
    }

    private void Admit()
    {
        while (_waiting.Count > 0 && _running.Count < _options.MaxBatch)
        {
            var next = LeastServed(_waiting);
            if (_running.Count > 0 && !FitsBeside(next)) return;
            _waiting.Remove(next);
            _running.Add(next);
        }
    }

    private bool FitsBeside(Generation generation) => _pages.CouldFit(generation.Sequence, generation.Sequence.Length + 1);

    /// <summary>The earliest generation of the least served tenant. A preempted one keeps its ticket, and with it its turn.</summary>
    private Generation LeastServed(List<Generation> list)
    {
        var best = list[0];
        foreach (var generation in list)
            if (Comes(generation, best))
                best = generation;
        return best;

        bool Comes(Generation a, Generation b)
        {
            var (sa, sb) = (_shares.Of(a.Sequence.Tenant), _shares.Of(b.Sequence.Tenant));
            return sa < sb || (sa == sb && a.Ticket < b.Ticket);
        }
    }

    /// <summary>
    /// Frees the pages of one generation that came later than <paramref name="inNeed"/>: a waiting one's, else a running one's, which
    /// then waits again. The earliest generation is never asked, so the engine always moves on.
    /// </summary>
    private Generation? GiveWay(Generation inNeed)
    {
        if (Latest(_waiting, g => !g.Sequence.Pages.IsEmpty) is { } waiting)
        {
            _pages.Free(waiting.Sequence);
            return waiting;
        }
        if (Latest(_running, g => g.Ticket > inNeed.Ticket && !g.Sequence.Pages.IsEmpty) is not { } later) return null;
        _pages.Free(later.Sequence);
        _running.Remove(later);
        _waiting.Add(later);
        Preemptions++;
        return later;
    }

    private static Generation? Latest(List<Generation> list, Func<Generation, bool> eligible)
    {
        Generation? latest = null;
        foreach (var generation in list)
            if (eligible(generation) && (latest is null || generation.Ticket > latest.Ticket))
                latest = generation;
        return latest;
    }
}
