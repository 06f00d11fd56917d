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
            var count = Math.Min(budget, end - sequence.CachedLength);
            if (!FindRoom(generation, sequence.CachedLength + count)) continue;
            _work.Add(WorkOf(generation, SliceKind.Prefill, count));
            budget -= count;
        }
    }

    private (SliceKind Kind, int End) NextKind(Generation generation)
    {
        var sequence = generation.Sequence;
        if (uniformRows && sequence.CachedLength < sequence.ComputedLength) return (SliceKind.Prefill, sequence.ComputedLength);
        return sequence.NextKind(generation.PromptLength);
    }

    private static StepWork WorkOf(Generation generation, SliceKind kind, int count)
    {
        var sequence = generation.Sequence;
        return new(generation, kind, sequence.NextKind(generation.PromptLength).Kind, count, sequence.CachedLength + count == sequence.Length);
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
        generation.Sequence.Pages.Capacity >= tokens || MakeRoom(generation, tokens);

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
            if (work.Kind == SliceKind.Decode) _plan.AddDecode(sequence.Pages, sequence.CachedLength, tokens[0], work.WantsLogits);
            else _plan.AddPrefill(sequence.Pages, sequence.CachedLength, tokens, work.WantsLogits ? LogitChoice.Last : LogitChoice.None);
        }
        return _plan;
    }
}
