using System.Runtime.CompilerServices;
using LServe.Inference;

namespace LServe.Cpu;

/// <inheritdoc/>
internal sealed unsafe partial class SelectWork<L, F>(int threads) : SelectWork(threads)
    where L : ILanes<F>
    where F : struct
{
    private const float Log2E = 1.4426950408889634f;

    protected override long ScratchFloats(int queries, int pages) =>
        Math.Max(
            (long)queries * (Stride(pages) + Dim) + 2L * Stride(pages) + PageScores<L, F>.ScratchFloats(queries, Dim),
            Math.Max(GroupSize * (Dim + KvGeometry.PageTokens + 1L), 3L * Stride(pages)));

    /// <summary>First stage: of a decode row what is kept until the next renewal, of a query block the past pages that it reads.</summary>
    protected override void ScoreUnit(in Unit unit, float* scratch)
    {
        var slice = Plan.Slices[unit.Slice];
        var place = Kv.Geometry.Heads[Layer.Index, unit.Head];
        if (slice.Kind == SliceKind.Decode)
        {
            var pages = Shares(slice, unit.Head, 0, 1, slice.Start + 1, scratch, out var best);
            var room = slice.Selection!.KeptRoom(place.Place);
            slice.Selection.SetKept(place.Place, Choose(best, pages, Options.KeptPages, best + Stride(pages), room));
            return;
        }
        var at = PageLists.BlockStart(slice, unit.Block);
        var rows = Math.Min(slice.Start + slice.Count, (at / LServeOptions.QueryBlock + 1) * LServeOptions.QueryBlock) - at;
        var past = at / KvGeometry.PageTokens;
        var list = Lists.RoomFor(unit.Slice, unit.Head, unit.Block);
        Shares(slice, unit.Head, at - slice.Start, rows, past * KvGeometry.PageTokens, scratch, out var shares);
        Lists.Set(unit.Slice, unit.Head, unit.Block, Choose(shares, past, list.Length, shares + Stride(past), list));
    }

    /// <summary>One score per page of the first <paramref name="tokens"/> tokens, for all rows and the group's query heads.</summary>
    private int Shares(in StepSlice slice, int head, int firstRow, int rows, int tokens, float* scratch, out float* shares)
    {
        int pages = KvGeometry.PagesFor(tokens), stride = Stride(pages), queries = rows * GroupSize;
        shares = scratch;
        float* scores = shares + 2 * stride, copied = scores + (long)queries * stride, rest = copied + (long)queries * Dim;
        for (var row = 0; row < rows; row++)
            Unsafe.CopyBlockUnaligned(copied + (long)row * GroupSize * Dim, QueriesOf(slice, firstRow + row, head), (uint)(GroupSize * Dim * sizeof(float)));
        var place = Kv.Geometry.Heads[Layer.Index, head];
        fixed (float* open = slice.Selection!.Open(place.Place))
            new PageScores<L, F>(Kv).Score(slice.Pages, place, tokens, open, copied, queries, scores, stride, rest);
        if (Options.Statistics == PageStatistics.Moments && Options.Policy != SelectionPolicy.Moments)
            PageShares<L, F>.Mean(scores, queries, stride, pages, (float)(Log2E / Math.Sqrt(Dim)), shares);
        else PageShares<L, F>.Best(scores, queries, stride, pages, shares);
        return pages;
    }

    private int Choose(float* scores, int pages, int keep, float* scratch, Span<int> to) =>
        TopPages.Choose(new(scores, pages), keep, Options.SinkPages, Options.RecentPages, new(scratch, pages), to);

    private float* QueriesOf(in StepSlice slice, int row, int head) => Qkv.Row(slice.FirstRow + row) + (long)head * GroupSize * Dim;

}
