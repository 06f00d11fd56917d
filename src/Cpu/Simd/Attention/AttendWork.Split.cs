using LServe.Inference;

namespace LServe.Cpu;

/// <content>One row: keys and values become floats in registers, once for all query heads of the group.</content>
internal sealed unsafe partial class AttendWork<L, F>
{
    protected override void Split(in AttendPlan.Unit unit, int thread)
    {
        var slice = Plan.Slices[unit.Slice];
        if (Kv.Geometry.Precision == KvPrecision.F16) WalkPages<KvHalf>(slice, unit, Scratch.Of(thread));
        else WalkPages<KvFloat>(slice, unit, Scratch.Of(thread));
        if (IsLast(unit.Group)) MergeSplits(slice, unit, Scratch.Of(thread));
    }

    private void WalkPages<E>(in StepSlice slice, in AttendPlan.Unit unit, float* scratch) where E : IKvElement
    {
        float* queries = scratch, scores = queries + GroupSize * Dim, factors = scores + GroupSize * Tokens;
        float* values = Partial(unit.Partial), largest = values + GroupSize * Dim, sums = largest + GroupSize;
        LoadQueries(slice.FirstRow, unit.Head, queries);
        new Span<float>(values, GroupSize * Dim).Clear();
        new Span<float>(largest, GroupSize).Fill(OnlineSoftmax<L, F>.Nothing);
        new Span<float>(sums, GroupSize).Clear();
        var end = Math.Min(KvGeometry.PagesFor(slice.Start + 1), (unit.First + 1) * AttendPlan.SplitPages);
        for (var page = unit.First * AttendPlan.SplitPages; page < end; page++)
        {
            var id = slice.Pages.Retrieval[page];
            var visible = Math.Min(Tokens, slice.Start + 1 - page * Tokens);
            byte* keys = Kv.Keys(id, Layer, unit.Head), mixed = Kv.Values(id, Layer, unit.Head);
            var next = page + 1 < end ? Kv.Keys(slice.Pages.Retrieval[page + 1], Layer, unit.Head) : keys;
            Panel<L, F, E>.Multiply(queries, Dim, GroupSize, keys, Tokens, Dim, scores, Tokens, Tokens, null, ahead: mixed);
            for (var i = 0; i < GroupSize; i++) factors[i] = OnlineSoftmax<L, F>.Add(scores + i * Tokens, visible, largest + i, sums + i);
            Panel<L, F, E>.Multiply(scores, Tokens, GroupSize, mixed, Dim, visible, values, Dim, Dim, factors, ahead: next);
        }
    }

    private void MergeSplits(in StepSlice slice, in AttendPlan.Unit unit, float* scratch)
    {
        var first = unit.Partial - unit.First;
        var output = OutputOf(slice.FirstRow, unit.Head);
        for (var i = 0; i < GroupSize; i++)
        {
            float largest = OnlineSoftmax<L, F>.Nothing, sum = 0;
            new Span<float>(scratch, Dim).Clear();
            for (var split = 0; split < Units.Groups[unit.Group]; split++)
            {
                float* values = Partial(first + split), tops = values + GroupSize * Dim, sums = tops + GroupSize;
                OnlineSoftmax<L, F>.Merge(&largest, &sum, scratch, tops[i], sums[i], values + i * Dim, Dim);
            }
            OnlineSoftmax<L, F>.Finish(sum, scratch, output + i * Dim, Dim);
        }
    }
}
