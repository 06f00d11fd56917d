using LServe.Inference;

namespace LServe.Cpu;

/// <content>One row: keys and values become floats once for all query heads of the group; those of 16 bits in registers.</content>
internal sealed unsafe partial class AttendWork<L, F>
{
    /// <summary>Where a split's intermediate results lie in its thread's scratch.</summary>
    private readonly struct SplitMemory(float* scratch, int group, int dim)
    {
        public readonly float* Queries = scratch;
        public readonly float* Totals = scratch + group * dim;
        public readonly float* Factors = scratch + group * (dim + 1);
        public readonly float* Scores = scratch + group * (dim + 2);
        public readonly float* Keys = scratch + group * (dim + 2 + Tokens);
        public readonly float* Values = scratch + group * (dim + 2 + Tokens) + dim * Tokens;
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
        var memory = new SplitMemory(scratch, GroupSize, Dim);
        float* values = Partial(unit.Partial), largest = values + GroupSize * Dim, sums = largest + GroupSize;
        LoadQueries(slice.FirstRow, unit.Head, memory.Queries, memory.Totals);
        new Span<float>(values, GroupSize * Dim).Clear();
        new Span<float>(largest, GroupSize).Fill(OnlineSoftmax<L, F>.Nothing);
        new Span<float>(sums, GroupSize).Clear();
        var (place, end) = (Place(unit.Head), walk.SplitEnd(unit.First, Lists.Pages));
        for (var entry = unit.First; entry < end; entry++)
        {
            var index = walk.Page(entry, Lists.Pages);
            var page = Kv.Head(slice.Pages, place, index);
            var next = entry + 1 < end ? Kv.Head(slice.Pages, place, walk.Page(entry + 1, Lists.Pages)) : page;
            var seen = Seen(walk, slice.Start, index);
            var rows = Math.Min(Tokens, slice.Start + 1 - index * Tokens);
            if (Kv.Geometry.Precision == KvPrecision.F16) AddHalfPage(memory, page, next, seen, rows, values, largest, sums);
            else AddPage(memory, page, next, seen, rows, values, largest, sums);
        }
    }

    private void AddHalfPage(in SplitMemory memory, byte* page, byte* next, ulong seen, int rows, float* values, float* largest, float* sums)
    {
        var mixed = page + Kv.Layout.Values;
        Panel<L, F, KvHalf>.Multiply(memory.Queries, Dim, GroupSize, page, Tokens, Dim, memory.Scores, Tokens, Tokens, null, ahead: mixed);
        for (var i = 0; i < GroupSize; i++) memory.Factors[i] = AddScores(memory.Scores + i * Tokens, seen, largest + i, sums + i);
        Panel<L, F, KvHalf>.Multiply(memory.Scores, Tokens, GroupSize, mixed, Dim, rows, values, Dim, Dim, memory.Factors, ahead: next);
    }

    private void AddPage(in SplitMemory memory, byte* page, byte* next, ulong seen, int rows, float* values, float* largest, float* sums)
    {
        var mixed = page + Kv.Layout.Values;
        Score(memory.Queries, memory.Totals, GroupSize, page, KeysOf(page, memory.Keys), memory.Scores, ahead: mixed);
        for (var i = 0; i < GroupSize; i++) memory.Factors[i] = AddScores(memory.Scores + i * Tokens, seen, largest + i, sums + i);
        Panel<L, F, KvFloat>.Multiply(memory.Scores, Tokens, GroupSize, ValuesOf(page, rows, memory.Values), Dim, rows, values, Dim, Dim, memory.Factors, ahead: next);
    }

    private byte* KeysOf(byte* page, float* scratch)
    {
        if (Kv.Geometry.Precision == KvPrecision.F32) return page;
        KvReader<L, F>.Keys(page, Kv.Layout, Kv.Geometry, scratch);
        return (byte*)scratch;
    }

    private byte* ValuesOf(byte* page, int rows, float* scratch)
    {
        if (Kv.Geometry.Precision == KvPrecision.F32) return page + Kv.Layout.Values;
        KvReader<L, F>.Values(page, Kv.Layout, Kv.Geometry, rows, scratch);
        return (byte*)scratch;
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
