using LServe.Inference;

namespace LServe.Cpu;

/// <content>One row: keys and values become floats in registers, once for all query heads of the group.</content>
internal sealed unsafe partial class AttendWork<L, F>
{
    /// <summary>Where a split's intermediate results lie in its thread's scratch.</summary>
    private readonly struct SplitMemory(float* scratch, int group, int dim)
    {
        public readonly float* Queries = scratch;
        public readonly float* Totals = scratch + group * dim;
        public readonly float* Factors = scratch + group * (dim + 1);
        public readonly float* Scores = scratch + group * (dim + 2);
        public readonly float* Lows = scratch + group * (dim + 2 + Tokens);
        public readonly float* Values = scratch + group * (dim + 3 + Tokens);
    }

    /// <summary>What a split has seen so far, of each query: D sums of values, the largest score, the sum of weights.</summary>
    private readonly struct State(float* partial, int group, int dim)
    {
        public readonly float* Values = partial;
        public readonly float* Largest = partial + group * dim;
        public readonly float* Sums = partial + group * (dim + 1);
    }

    protected override void Split(in AttendPlan.Unit unit, int thread)
    {
        var slice = Plan.Slices[unit.Slice];
        var walk = Lists.Walk(slice, unit.Slice, Place(unit.Head), unit.Head, slice.Start, slice.Start);
        WalkPages(slice, unit, walk, Scratch.Of(thread));
        if (IsLast(unit.Group)) MergeSplits(slice, unit, Scratch.Of(thread));
    }

    private void WalkPages(in StepSlice slice, in AttendPlan.Unit unit, in PageWalk walk, float* scratch)
    {
        var (place, end) = (Place(unit.Head), walk.SplitEnd(unit.First, Lists.Pages));
        var page = Kv.Head(slice.Pages, place, walk.Page(unit.First, Lists.Pages));
        new Ahead(page, Kv.Layout.KeyBytes, steps: 1).Rest();
        var memory = new SplitMemory(scratch, GroupSize, Dim);
        var state = new State(Partial(unit.Partial), GroupSize, Dim);
        LoadQueries(slice.FirstRow, unit.Head, memory.Queries, memory.Totals);
        new Span<float>(state.Values, GroupSize * Dim).Clear();
        new Span<float>(state.Largest, GroupSize).Fill(OnlineSoftmax<L, F>.Nothing);
        new Span<float>(state.Sums, GroupSize).Clear();
        for (var entry = unit.First; entry < end; entry++)
        {
            var index = walk.Page(entry, Lists.Pages);
            var next = entry + 1 < end ? Kv.Head(slice.Pages, place, walk.Page(entry + 1, Lists.Pages)) : null;
            var rows = Math.Min(Tokens, slice.Start + 1 - index * Tokens);
            AddPage(memory, page, Seen(walk, slice.Start, index), rows, state, next == null ? default : new(next, Kv.Layout.KeyBytes, rows));
            page = next;
        }
    }

    private void AddPage(in SplitMemory memory, byte* page, ulong seen, int rows, in State state, Ahead next)
    {
        var values = page + Kv.Layout.Values;
        var own = new Ahead(values, Kv.Layout.ValueBytes, Dim);
        switch (Kv.Geometry.Precision)
        {
            case KvPrecision.F32:
                Score<KvFloat>(default, memory, page, own);
                Weigh(memory, seen, state);
                Mix<KvFloat>(default, memory, values, rows, state, next);
                break;
            case KvPrecision.F16:
                Score<KvHalf>(default, memory, page, own);
                Weigh(memory, seen, state);
                Mix<KvHalf>(default, memory, values, rows, state, next);
                break;
            default:
                AddCodes(memory, page, seen, rows, state, own, next);
                break;
        }
    }

    /// <summary>Codes are multiplied as they are: their scales go to the scores, and with the values to the weights.</summary>
    private void AddCodes(in SplitMemory memory, byte* page, ulong seen, int rows, in State state, Ahead own, Ahead next)
    {
        if (Kv.Geometry.Precision.KeyBits() == 8) Score<KvJoined>(new(Kv.Layout.KeyLowPlane), memory, page, own);
        else Score<KvNibbles>(default, memory, page, own);
        Rescale(page, memory.Totals, GroupSize, memory.Scores);
        Weigh(memory, seen, state);
        if (Kv.Geometry.Precision.ValueBits() == 8)
        {
            for (var i = 0; i < GroupSize; i++)
                memory.Lows[i] = KvReader<L, F>.ScaleWeights(memory.Scores + i * Tokens, (ushort*)(page + Kv.Layout.ValueScales), rows);
            Mix<KvByte>(default, memory, page + Kv.Layout.Values, rows, state, next);
            for (var i = 0; i < GroupSize; i++) KvReader<L, F>.AddToAll(state.Values + i * Dim, Dim, memory.Lows[i]);
        }
        else
        {
            KvReader<L, F>.Values(page, Kv.Layout, Kv.Geometry, rows, memory.Values);
            Mix<KvFloat>(default, memory, (byte*)memory.Values, rows, state, next);
        }
    }

    private void Score<E>(E element, in SplitMemory memory, byte* keys, Ahead ahead)
        where E : IKvElement =>
        Panel<L, F, E>.Multiply(element, memory.Queries, Dim, GroupSize, keys, Tokens, Dim, memory.Scores, Tokens, Tokens, null, ahead);

    private void Mix<E>(E element, in SplitMemory memory, byte* values, int rows, in State state, Ahead ahead)
        where E : IKvElement =>
        Panel<L, F, E>.Multiply(element, memory.Scores, Tokens, GroupSize, values, Dim, rows, state.Values, Dim, Dim, memory.Factors, ahead);

    private void Weigh(in SplitMemory memory, ulong seen, in State state)
    {
        for (var i = 0; i < GroupSize; i++) memory.Factors[i] = AddScores(memory.Scores + i * Tokens, seen, state.Largest + i, state.Sums + i);
    }

    private void MergeSplits(in StepSlice slice, in AttendPlan.Unit unit, float* scratch)
    {
        var group = Units.Groups[unit.Group];
        var output = OutputOf(slice.FirstRow, unit.Head);
        for (var i = 0; i < GroupSize; i++)
        {
            float largest = OnlineSoftmax<L, F>.Nothing, sum = 0;
            new Span<float>(scratch, Dim).Clear();
            for (var split = 0; split < group.Splits; split++)
            {
                float* values = Partial(group.Partial + split), tops = values + GroupSize * Dim, sums = tops + GroupSize;
                OnlineSoftmax<L, F>.Merge(&largest, &sum, scratch, tops[i], sums[i], values + i * Dim, Dim);
            }
            Finish(sum, scratch, output + i * Dim);
        }
    }
}
