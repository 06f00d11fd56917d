using LServe.Inference;

namespace LServe.Cpu;

/// <content>
/// A tile of a prompt's rows × the query heads of a group: a page's keys and values become floats once for all of them.
/// Each query sees exactly the pages, splits and order of additions it would see alone.
/// </content>
internal sealed unsafe partial class AttendWork<L, F>
{
    /// <summary>Where a tile's intermediate results lie in its thread's scratch.</summary>
    private readonly struct TileMemory
    {
        public readonly float* Keys, Values, Queries, Scores, Sums, Totals, Factors, SplitTop, SplitSum, Top, Sum, ChannelSums;

        public TileMemory(float* scratch, int queries, int dim)
        {
            Keys = scratch;
            Values = Keys + dim * Tokens;
            Queries = Values + dim * Tokens;
            Sums = Queries + queries * dim;
            Totals = Sums + queries * dim;
            Scores = Totals + queries * dim;
            Factors = Scores + queries * Tokens;
            SplitTop = Factors + queries;
            SplitSum = SplitTop + queries;
            Top = SplitSum + queries;
            Sum = Top + queries;
            ChannelSums = Sum + queries;
        }
    }

    protected override void Tile(in AttendPlan.Unit unit, int thread)
    {
        var slice = Plan.Slices[unit.Slice];
        var queries = unit.Rows * GroupSize;
        var memory = new TileMemory(Scratch.Of(thread), queries, Dim);
        for (var i = 0; i < unit.Rows; i++)
            LoadQueries(slice.FirstRow + unit.First + i, unit.Head, memory.Queries + i * GroupSize * Dim, memory.ChannelSums + i * GroupSize);
        Reset(memory.Totals, memory.Top, memory.Sum, queries);
        var first = slice.Start + unit.First;
        var walk = Lists.Walk(slice, unit.Slice, Place(unit.Head), unit.Head, first, first + unit.Rows - 1);
        for (var entry = 0; entry < walk.Count;)
        {
            Reset(memory.Sums, memory.SplitTop, memory.SplitSum, queries);
            var end = walk.SplitEnd(entry, Lists.Pages);
            for (; entry < end; entry++)
            {
                var next = entry + 1 < end ? Kv.Head(slice.Pages, Place(unit.Head), walk.Page(entry + 1, Lists.Pages)) : null;
                AddPage(slice, unit, walk, walk.Page(entry, Lists.Pages), memory, next == null ? default : new(next, Kv.Layout.Bytes, Tokens));
            }
            for (var i = 0; i < queries; i++)
                OnlineSoftmax<L, F>.Merge(
                    memory.Top + i, memory.Sum + i, memory.Totals + i * Dim, memory.SplitTop[i], memory.SplitSum[i], memory.Sums + i * Dim, Dim);
        }
        for (var i = 0; i < queries; i++)
        {
            var (row, head) = Math.DivRem(i, GroupSize);
            Finish(memory.Sum[i], memory.Totals + i * Dim, OutputOf(slice.FirstRow + unit.First + row, unit.Head) + head * Dim);
        }
    }

    private void AddPage(in StepSlice slice, in AttendPlan.Unit unit, in PageWalk walk, int index, in TileMemory memory, Ahead next)
    {
        var queries = unit.Rows * GroupSize;
        var first = slice.Start + unit.First;
        var page = Kv.Head(slice.Pages, Place(unit.Head), index);
        var rows = Math.Min(Tokens, first + unit.Rows - index * Tokens);
        var (keys, values) = ((nint)KeysOf(page, memory.Keys), (nint)ValuesOf(page, rows, memory.Values));
        Panel<L, F, KvFloat>.Multiply(default, memory.Queries, Dim, queries, (byte*)keys, Tokens, Dim, memory.Scores, Tokens, Tokens, null, default);
        if (IsQuantised) Rescale(page, memory.ChannelSums, queries, memory.Scores);
        for (var i = 0; i < queries; i++)
            memory.Factors[i] = AddScores(memory.Scores + i * Tokens, Seen(walk, first + i / GroupSize, index), memory.SplitTop + i, memory.SplitSum + i);
        Panel<L, F, KvFloat>.Multiply(default, memory.Scores, Tokens, queries, (byte*)values, Dim, rows, memory.Sums, Dim, Dim, memory.Factors, next);
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

    private void Reset(float* values, float* largest, float* sums, int queries)
    {
        new Span<float>(values, queries * Dim).Clear();
        new Span<float>(largest, queries).Fill(OnlineSoftmax<L, F>.Nothing);
        new Span<float>(sums, queries).Clear();
    }
}
