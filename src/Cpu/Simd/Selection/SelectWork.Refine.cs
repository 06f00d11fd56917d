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

    /// <summary>Pages: a page is scored sooner than memory answers.</summary>
    private const int PagesAhead = 2;

    protected override bool RefineUnit(in Unit unit, float* scratch)
    {
        var (slice, place, group) = (Plan.Slices[unit.Slice], Kv.Geometry.Heads[Layer.Index, unit.Head], Groups[unit.Group]);
        var end = Math.Min(group.Count, unit.First + ChunkPages);
        for (var i = unit.First; i < Math.Min(end, unit.First + PagesAhead); i++) Sketch(slice, place, group, i).Rest();
        float* queries = scratch, totals = queries + GroupSize * Dim, scores = totals + GroupSize;
        PrepareQueries(QueriesOf(slice, 0, unit.Head), queries, totals);
        for (var i = unit.First; i < end; i++)
        {
            var index = Eligible[group.Eligible + i];
            var ahead = i + PagesAhead < end ? Sketch(slice, place, group, i + PagesAhead) : default;
            SketchScores(Kv.Head(slice.Pages, place, index), queries, totals, scores, ahead);
            AddPart(group, i, scores, Math.Min(Tokens, slice.Start + 1 - index * Tokens));
        }
        return IsLast(unit.Group);
    }

    /// <summary>What an eligible page's sketch reads.</summary>
    private Ahead Sketch(in StepSlice slice, HeadPlace place, in Group group, int i) =>
        new(Kv.Head(slice.Pages, place, Eligible[group.Eligible + i]), Kv.Layout.SketchBytes, Dim);

    /// <summary>A weight is at most 1, so a page's sum at most its tokens; that of a page with a key that is no number is none, and it has no share.</summary>
    private void AddPart(in Group group, int i, float* scores, int visible)
    {
        for (var q = 0; q < GroupSize; q++)
        {
            float top = OnlineSoftmax<L, F>.Nothing, sum = 0;
            OnlineSoftmax<L, F>.Add(scores + q * Tokens, visible, &top, &sum);
            var isShare = float.IsFinite(top) && sum is >= 0 and < Tokens + 1;
            Tops(group, q)[i] = isShare ? top : OnlineSoftmax<L, F>.Nothing;
            Sums(group, q)[i] = isShare ? sum : float.PositiveInfinity;
        }
    }

    protected override void FinishUnit(in Unit unit, float* scratch)
    {
        var (slice, group) = (Plan.Slices[unit.Slice], Groups[unit.Group]);
        var pages = KvGeometry.PagesFor(slice.Start + 1);
        float* shares = scratch, rest = shares + Stride(pages), mean = rest + Stride(pages);
        new Span<float>(mean, Stride(group.Count)).Clear();
        for (var q = 0; q < GroupSize; q++) AddShares(group, q, mean);
        new Span<float>(shares, pages).Fill(float.NegativeInfinity);
        for (var i = 0; i < group.Count; i++) shares[Eligible[group.Eligible + i]] = mean[i];
        var list = Lists.RoomFor(unit.Slice, unit.Head, 0);
        Lists.Set(unit.Slice, unit.Head, 0, Choose(shares, pages, Options.BudgetPages, rest, list));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddShares(in Group group, int query, float* mean)
    {
        float* tops = Tops(group, query), sums = Sums(group, query);
        for (var i = group.Count; i % L.Width != 0; i++) (tops[i], sums[i]) = (OnlineSoftmax<L, F>.Nothing, 0);
        F most = L.Fill(OnlineSoftmax<L, F>.Nothing), total = L.Fill(0);
        for (var i = 0; i < group.Count; i += L.Width) most = L.Max(most, L.Load(tops + i));
        var top = L.Fill(L.Largest(most));
        for (var i = 0; i < group.Count; i += L.Width)
        {
            var weight = L.Multiply(L.Load(sums + i), Exponential<L, F>.PowerOfTwo(L.Subtract(L.Load(tops + i), top)));
            L.Store(tops + i, weight);
            total = L.Add(total, L.SelectBelow(L.Load(sums + i), L.Fill(float.PositiveInfinity), weight, L.Fill(0)));
        }
        var factor = L.Fill(1 / (L.Sum(total) * GroupSize));
        for (var i = 0; i < group.Count; i += L.Width)
        {
            var share = L.MultiplyAdd(L.Load(tops + i), factor, L.Load(mean + i));
            L.Store(mean + i, L.SelectBelow(L.Load(sums + i), L.Fill(float.PositiveInfinity), share, L.Fill(float.NegativeInfinity)));
        }
    }

    /// <summary>[eligible pages] of one query: the largest score in each page.</summary>
    private float* Tops(in Group group, int query) => Parts.Of(0) + group.Parts + (long)query * Stride(group.Count);

    /// <summary>As <see cref="Tops"/>: the sum of the page's weights relative to that score, or +∞.</summary>
    private float* Sums(in Group group, int query) => Tops(group, GroupSize + query);

    /// <summary>Queries in the basis of the cached keys, multiplied by log₂e / √D, and the sum of each one's channels.</summary>
    private void PrepareQueries(float* from, float* to, float* totals)
    {
        var scale = (float)(1.4426950408889634 / Math.Sqrt(Dim));
        for (var i = 0; i < GroupSize * Dim; i += L.Width) L.Store(to + i, L.Multiply(L.Load(from + i), L.Fill(scale)));
        if (!Kv.Geometry.Precision.IsQuantised()) return;
        for (var q = 0; q < GroupSize; q++)
        {
            Hadamard.Rotate(to + q * Dim, Dim);
            totals[q] = KvReader<L, F>.Sum(to + q * Dim, Dim);
        }
    }

    private void SketchScores(byte* page, float* queries, float* totals, float* scores, Ahead next)
    {
        var precision = Kv.Geometry.Precision;
        var oracle = Options.Policy == SelectionPolicy.Oracle;
        if (precision == KvPrecision.F32) Multiply<KvFloat>(default, page, queries, scores, next);
        else if (precision == KvPrecision.F16) Multiply<KvHalf>(default, page, queries, scores, next);
        else if (oracle && precision.KeyBits() == 8) Multiply<KvJoined>(new(Kv.Layout.KeyLowPlane), page, queries, scores, next);
        else if (oracle || SketchMask == 15) Multiply<KvNibbles>(default, page, queries, scores, next);
        else Multiply<KvPlane>(new(SketchMask), page, queries, scores, next);
        if (!precision.IsQuantised()) return;
        var (step, offset) = oracle ? (1f, 0f) : SketchReading;
        for (var q = 0; q < GroupSize; q++)
            KvReader<L, F>.Rescale(scores + q * Tokens, (ushort*)(page + Kv.Layout.KeyScales), totals[q], step, offset);
    }

    private void Multiply<E>(E element, byte* keys, float* queries, float* scores, Ahead next)
        where E : IKvElement =>
        Panel<L, F, E>.Multiply(element, queries, Dim, GroupSize, keys, Tokens, Dim, scores, Tokens, Tokens, null, next);

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
