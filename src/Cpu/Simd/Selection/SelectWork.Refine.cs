using System.Runtime.CompilerServices;
using LServe.Inference;

namespace LServe.Cpu;

/// <content>
/// Second stage: the share of attention each eligible page would get by the sketched keys, a softmax over all eligible tokens, the mean over
/// the group's queries. Pages leave their largest score and the sum of their weights; the last unit of a head puts them together.
/// </content>
internal sealed unsafe partial class SelectWork<L, F>
{
    private const int Tokens = KvGeometry.PageTokens;

    protected override bool RefineUnit(in Unit unit, float* scratch)
    {
        var (slice, place, group) = (Plan.Slices[unit.Slice], Kv.Geometry.Heads[Layer.Index, unit.Head], Groups[unit.Group]);
        float* keys = scratch, queries = keys + (long)Dim * Tokens, totals = queries + GroupSize * Dim, scores = totals + GroupSize;
        PrepareQueries(QueriesOf(slice, 0, unit.Head), queries, totals);
        var end = Math.Min(group.Count, unit.First + ChunkPages);
        for (var i = unit.First; i < end; i++)
        {
            var index = Eligible[group.Eligible + i];
            SketchScores(Kv.Head(slice.Pages, place, index), queries, totals, keys, scores);
            var visible = Math.Min(Tokens, slice.Start + 1 - index * Tokens);
            var part = Part(group, i);
            for (var q = 0; q < GroupSize; q++)
            {
                part[2 * q] = OnlineSoftmax<L, F>.Nothing;
                part[2 * q + 1] = 0;
                OnlineSoftmax<L, F>.Add(scores + q * Tokens, visible, part + 2 * q, part + 2 * q + 1);
                if (!IsShare(part + 2 * q)) part[2 * q + 1] = float.NegativeInfinity;
            }
        }
        return IsLast(unit.Group);
    }

    protected override void FinishUnit(in Unit unit, float* scratch)
    {
        var (slice, group) = (Plan.Slices[unit.Slice], Groups[unit.Group]);
        var pages = KvGeometry.PagesFor(slice.Start + 1);
        float* shares = scratch, rest = shares + Stride(pages);
        new Span<float>(shares, pages).Fill(float.NegativeInfinity);
        for (var i = 0; i < group.Count; i++) shares[Eligible[group.Eligible + i]] = 0;
        for (var q = 0; q < GroupSize; q++) AddShares(group, q, shares);
        var list = Lists.RoomFor(unit.Slice, unit.Head, 0);
        Lists.Set(unit.Slice, unit.Head, 0, Choose(shares, pages, Options.BudgetPages, rest, list));
    }

    private void AddShares(in Group group, int query, float* shares)
    {
        float most = OnlineSoftmax<L, F>.Nothing, sum = 0;
        for (var i = 0; i < group.Count; i++)
            if (IsShare(Part(group, i) + 2 * query)) most = MathF.Max(most, Part(group, i)[2 * query]);
        for (var i = 0; i < group.Count; i++)
            if (IsShare(Part(group, i) + 2 * query)) sum += Weight(Part(group, i) + 2 * query, most);
        for (var i = 0; i < group.Count; i++)
            shares[Eligible[group.Eligible + i]] += IsShare(Part(group, i) + 2 * query)
                ? Weight(Part(group, i) + 2 * query, most) / (sum * GroupSize)
                : float.NegativeInfinity;
    }

    /// <summary>False for a page with a key that is no number: it has no share. A weight is at most 1, so a page's sum at most its tokens.</summary>
    private static bool IsShare(float* part) => float.IsFinite(part[0]) && part[1] is >= 0 and < Tokens + 1;

    private static float Weight(float* part, float most) => part[1] * Exponential<LanesScalar, float>.PowerOfTwo(part[0] - most);

    private float* Part(in Group group, int i) => Parts.Of(0) + 2L * GroupSize * (group.Eligible + i);

    /// <summary>Queries in the basis of the cached keys, multiplied by log₂e / √D, and the sum of each one's channels.</summary>
    private void PrepareQueries(float* from, float* to, float* totals)
    {
        var scale = (float)(1.4426950408889634 / Math.Sqrt(Dim));
        for (var i = 0; i < GroupSize * Dim; i++) to[i] = from[i] * scale;
        for (var q = 0; q < GroupSize; q++)
        {
            if (Kv.Geometry.Precision.IsQuantised()) Hadamard.Rotate(to + q * Dim, Dim);
            totals[q] = 0;
            for (var i = 0; i < Dim; i++) totals[q] += to[q * Dim + i];
        }
    }

    private void SketchScores(byte* page, float* queries, float* totals, float* keys, float* scores)
    {
        var precision = Kv.Geometry.Precision;
        var oracle = Options.Policy == SelectionPolicy.Oracle;
        if (precision == KvPrecision.F32) keys = (float*)page;
        else if (!precision.IsQuantised() || oracle) KvReader<L, F>.Keys(page, Kv.Layout, Kv.Geometry, keys);
        else KvReader<L, F>.HighPlane(page, Dim, SketchMask, keys);
        Panel<L, F, KvFloat>.Multiply(queries, Dim, GroupSize, (byte*)keys, Tokens, Dim, scores, Tokens, Tokens, null, page);
        if (!precision.IsQuantised()) return;
        var (step, offset) = oracle ? (1f, 0f) : SketchReading;
        for (var q = 0; q < GroupSize; q++)
            KvReader<L, F>.Rescale(scores + q * Tokens, (ushort*)(page + Kv.Layout.KeyScales), totals[q], step, offset);
    }

    private int SketchMask => 15 & ~(15 >> Options.SketchBits);

    /// <summary>What the masked high plane is multiplied by, and the middle of the codes that share its bits.</summary>
    private (float Step, float Offset) SketchReading
    {
        get
        {
            var codeBits = Kv.Geometry.Precision.KeyBits();
            return (codeBits == 8 ? 16 : 1, ((1 << (codeBits - Options.SketchBits)) - 1) / 2f);
        }
    }
}
