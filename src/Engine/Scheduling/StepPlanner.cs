using System.Runtime.InteropServices;

namespace LServe.Inference;

/// <summary>
/// Fills a step: first everybody who decodes, then prompts, as many rows as the step may cost. Pages are found before rows are
/// planned, since finding them may send a later generation back to wait.
/// </summary>
public sealed class StepPlanner(
    EngineOptions options, bool uniformRows, TenantShares shares, PageAllocator pages, Func<Generation, Generation?> giveWay)
{
    private readonly StepPlan _plan = new();
    private readonly List<StepWork> _work = [];
    private readonly List<Generation> _prefilling = [];

    /// <summary>The planned step's work, in the order of its slices.</summary>
    public ReadOnlySpan<StepWork> Work => CollectionsMarshal.AsSpan(_work);

    public StepPlan? Plan(List<Generation> running)
    {
        _work.Clear();
        _prefilling.Clear();
        // By index: making room may take later generations off the list.
        for (var i = 0; i < running.Count; i++) PlanDecode(running[i]);
        PlanPrefill(_work.Count > 0 ? options.PrefillRowsBesideDecode : options.PrefillRows);
        return Build();
    }

    private void PlanDecode(Generation generation)
    {
        if (generation.IsPaused) return;
        if (NextKind(generation).Kind == SliceKind.Prefill) _prefilling.Add(generation);
        else if (FindRoom(generation, generation.Sequence.CachedLength + 1))
            _work.Add(WorkOf(generation, SliceKind.Decode, 1));
    }

    private void PlanPrefill(int budget)
    {
        while (budget > 0 && TakeLeastServed() is { } generation)
        {
            var sequence = generation.Sequence;
            var end = Math.Min(NextKind(generation).End, sequence.Length);
            var count = Cut(sequence, Math.Min(budget, end - sequence.CachedLength), end);
            if (!FindRoom(generation, sequence.CachedLength + count)) continue;
            _work.Add(WorkOf(generation, SliceKind.Prefill, count));
            budget -= count;
        }
    }

    /// <summary>
    /// Moves the end of a chunk to where a sparse prompt may be cut: back, or forward if that would leave nothing. So a step can have
    /// up to a query block of rows more than asked for.
    /// </summary>
    private int Cut(Sequence sequence, int count, int end)
    {
        var (start, at) = (sequence.CachedLength, sequence.CachedLength + count);
        if (sequence.Mode == AttentionMode.Dense || at == end || options.LServe!.MayCut(at)) return count;
        var block = at / LServeOptions.QueryBlock * LServeOptions.QueryBlock;
        if (block <= start) block = Math.Min(end, block + LServeOptions.QueryBlock);
        return block - start;
    }

    private (SliceKind Kind, int Start, int End) NextKind(Generation generation)
    {
        var sequence = generation.Sequence;
        // A dense replay may run as prefill where that gives the same bits; sparse decode steps chose their own pages.
        if (uniformRows && sequence.Mode == AttentionMode.Dense && sequence.CachedLength < sequence.ComputedLength)
            return (SliceKind.Prefill, 0, sequence.ComputedLength);
        return sequence.NextRun(generation.PromptLength);
    }

    private static StepWork WorkOf(Generation generation, SliceKind kind, int count)
    {
        var sequence = generation.Sequence;
        var run = sequence.NextRun(generation.PromptLength);
        return new(generation, kind, run.Kind, count, sequence.CachedLength + count == sequence.Length, run.Start);
    }

    private Generation? TakeLeastServed()
    {
        if (_prefilling.Count == 0) return null;
        var best = 0;
        for (var i = 1; i < _prefilling.Count; i++)
            if (shares.Of(_prefilling[i].Sequence.Tenant) < shares.Of(_prefilling[best].Sequence.Tenant))
                best = i;
        var generation = _prefilling[best];
        _prefilling.RemoveAt(best);
        return generation;
    }

    private bool FindRoom(Generation generation, int tokens) =>
        pages.HasRoom(generation.Sequence, tokens) || MakeRoom(generation, tokens);

    /// <summary>Apart from <see cref="FindRoom"/>, so that its delegate is only made when a page is needed.</summary>
    private bool MakeRoom(Generation generation, int tokens) => pages.EnsureRoom(generation.Sequence, tokens, () =>
    {
        if (giveWay(generation) is not { } gone) return false;
        _work.RemoveAll(w => w.Generation == gone);
        _prefilling.Remove(gone);
        return true;
    });

    private StepPlan? Build()
    {
        if (_work.Count == 0) return null;
        _plan.Clear();
        foreach (var work in _work)
        {
            var sequence = work.Generation.Sequence;
            var tokens = sequence.Tokens.Slice(sequence.CachedLength, work.Count);
            if (work.Kind == SliceKind.Decode)
                _plan.AddDecode(sequence.Pages, sequence.CachedLength, tokens[0], work.WantsLogits, sequence.Selection, Renews(sequence, work.RunStart));
            else
                _plan.AddPrefill(sequence.Pages, sequence.CachedLength, tokens, work.WantsLogits ? LogitChoice.Last : LogitChoice.None, sequence.Selection);
        }
        return _plan;
    }

    private bool Renews(Sequence sequence, int runStart) =>
        sequence.Mode == AttentionMode.LServe && options.LServe!.MustRenew(sequence.CachedLength, runStart);
}
