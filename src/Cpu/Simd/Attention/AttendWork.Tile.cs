using System.Runtime.CompilerServices;
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
        public readonly float* Keys, Values, Queries, Scores, Sums, Totals, Factors, SplitTop, SplitSum, Top, Sum;

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
        }
    }

    protected override void Tile(in AttendPlan.Unit unit, int thread)
    {
        var slice = Plan.Slices[unit.Slice];
        var queries = unit.Rows * GroupSize;
        var memory = new TileMemory(Scratch.Of(thread), queries, Dim);
        for (var i = 0; i < unit.Rows; i++) LoadQueries(slice.FirstRow + unit.First + i, unit.Head, memory.Queries + i * GroupSize * Dim);
        Reset(memory.Totals, memory.Top, memory.Sum, queries);
        var pages = KvGeometry.PagesFor(slice.Start + unit.First + unit.Rows);
        for (var page = 0; page < pages; page += AttendPlan.SplitPages)
        {
            Reset(memory.Sums, memory.SplitTop, memory.SplitSum, queries);
            var end = Math.Min(pages, page + AttendPlan.SplitPages);
            for (var at = page; at < end; at++) AddPage(slice, unit, at, memory);
            for (var i = 0; i < queries; i++)
                OnlineSoftmax<L, F>.Merge(
                    memory.Top + i, memory.Sum + i, memory.Totals + i * Dim, memory.SplitTop[i], memory.SplitSum[i], memory.Sums + i * Dim, Dim);
        }
        for (var i = 0; i < queries; i++)
        {
            var (row, head) = Math.DivRem(i, GroupSize);
            var output = OutputOf(slice.FirstRow + unit.First + row, unit.Head) + head * Dim;
            OnlineSoftmax<L, F>.Finish(memory.Sum[i], memory.Totals + i * Dim, output, Dim);
        }
    }

    private void AddPage(in StepSlice slice, in AttendPlan.Unit unit, int page, in TileMemory memory)
    {
        var (queries, id) = (unit.Rows * GroupSize, slice.Pages.Retrieval[page]);
        var firstVisible = slice.Start + unit.First + 1 - page * Tokens;
        var lastVisible = Math.Min(Tokens, firstVisible + unit.Rows - 1);
        var keys = AsFloats(Kv.Keys(id, Layer, unit.Head), Dim * Tokens, memory.Keys);
        var values = AsFloats(Kv.Values(id, Layer, unit.Head), Dim * lastVisible, memory.Values);
        Panel<L, F, KvFloat>.Multiply(memory.Queries, Dim, queries, keys, Tokens, Dim, memory.Scores, Tokens, Tokens, null, values);
        for (var i = 0; i < queries; i++)
            memory.Factors[i] = AddScores(memory.Scores + i * Tokens, firstVisible + i / GroupSize, memory.SplitTop + i, memory.SplitSum + i);
        Panel<L, F, KvFloat>.Multiply(memory.Scores, Tokens, queries, values, Dim, lastVisible, memory.Sums, Dim, Dim, memory.Factors, keys);
    }

    /// <summary>A row that begins after this page takes nothing from it.</summary>
    private static float AddScores(float* scores, int visible, float* largest, float* sum)
    {
        if (visible > 0) return OnlineSoftmax<L, F>.Add(scores, visible, largest, sum);
        new Span<float>(scores, Tokens).Clear();
        return 1;
    }

    private byte* AsFloats(byte* plane, int count, float* scratch)
    {
        if (Kv.Geometry.Precision == KvPrecision.F32) return plane;
        Widen((ushort*)plane, count, scratch);
        return (byte*)scratch;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen(ushort* from, int count, float* to)
    {
        for (var i = 0; i < count; i += L.Width) L.Store(to + i, L.LoadHalf(from + i));
    }

    private void Reset(float* values, float* largest, float* sums, int queries)
    {
        new Span<float>(values, queries * Dim).Clear();
        new Span<float>(largest, queries).Fill(OnlineSoftmax<L, F>.Nothing);
        new Span<float>(sums, queries).Clear();
    }
}
