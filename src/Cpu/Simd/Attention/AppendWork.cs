using LServe.Inference;

namespace LServe.Cpu;

/// <summary>
/// Keys and values of a step into their pages, and of sparse sequences the keys' statistics. A unit is what one head of one slice puts into
/// one page, so that no two threads write to the same bytes.
/// </summary>
internal abstract unsafe class AppendWork : ParallelWork
{
    /// <summary>Tokens of a unit from <paramref name="First"/> on (within the slice).</summary>
    private readonly record struct Unit(int Slice, int Head, int First, int Count);

    private readonly List<Unit> _units = new(256);
    private StepPlan _plan = null!;
    private HostBuffer _qkv = null!;

    protected KvPages Kv = null!;
    protected AttentionLayer Layer = null!;

    public void Begin(StepPlan plan, KvPages kv)
    {
        (_plan, Kv) = (plan, kv);
        _units.Clear();
        for (var i = 0; i < plan.Slices.Length; i++) AddUnits(plan.Slices[i], i);
    }

    public void Run(WorkerPool pool, AttentionLayer layer, HostBuffer qkv)
    {
        (Layer, _qkv) = (layer, qkv);
        if (_plan.Rows >= SimdKernels.RowsWorthSharing) pool.Run(this, _units.Count);
        else
            for (var unit = 0; unit < _units.Count; unit++) Execute(unit, 0);
    }

    public sealed override void Execute(int unit, int thread)
    {
        var work = _units[unit];
        var (slice, config, place) = (_plan.Slices[work.Slice], Layer.Config, Kv.Geometry.Heads[Layer.Index, work.Head]);
        for (var i = work.First; i < work.First + work.Count; i++)
        {
            var key = _qkv.Row(slice.FirstRow + i) + (long)(config.QueryHeads + work.Head) * config.HeadDim;
            Append(slice, place, slice.Start + i, work.Head, key, key + (long)config.KvHeads * config.HeadDim);
        }
    }

    protected abstract void Append(in StepSlice slice, HeadPlace place, int position, int head, float* key, float* value);

    private void AddUnits(in StepSlice slice, int index)
    {
        for (var first = 0; first < slice.Count;)
        {
            var toPageEnd = KvGeometry.PageTokens - (slice.Start + first) % KvGeometry.PageTokens;
            var count = Math.Min(toPageEnd, slice.Count - first);
            for (var head = 0; head < Kv.Geometry.KvHeads; head++) _units.Add(new(index, head, first, count));
            first += count;
        }
    }
}

/// <inheritdoc/>
internal sealed unsafe class AppendWork<L, F> : AppendWork
    where L : ILanes<F>
    where F : struct
{
    protected override void Append(in StepSlice slice, HeadPlace place, int position, int head, float* key, float* value)
    {
        var (geometry, index) = (Kv.Geometry, position / KvGeometry.PageTokens);
        var page = Kv.Head(slice.Pages, place, index);
        fixed (float* centres = geometry.Centres)
        {
            var centre = centres == null ? null : centres + ((long)Layer.Index * geometry.KvHeads + head) * geometry.HeadDim;
            KvWriter.Write(page, Kv.Layout, geometry, position % KvGeometry.PageTokens, key, value, centre);
        }
        if (slice.Selection is null || place.Streams || geometry.StatisticsBytes == 0) return;
        fixed (float* open = slice.Selection.Open(place.Place))
            OpenPage<L, F>.Add(open, geometry.LServe!.Statistics, key, geometry.HeadDim, position, (ushort*)(page + Kv.Layout.Statistics));
    }
}
