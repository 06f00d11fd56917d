using LServe.Inference;

namespace LServe.Cpu;

/// <summary>
/// Keys and values of a step into their pages, and of sparse sequences the keys' statistics. A unit is what one head of one slice puts into
/// one page, or the statistics of one head of one slice, which go token by token: so no two threads write to the same bytes.
/// </summary>
internal abstract unsafe class AppendWork : ParallelWork
{
    /// <summary>Tokens of a unit from <paramref name="First"/> on (within the slice).</summary>
    /// <param name="Statistics">Whether the unit is for the keys' statistics.</param>
    private readonly record struct Unit(int Slice, int Head, int First, int Count, bool Statistics);

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
            if (work.Statistics) Count(slice, place, slice.Start + i, key);
            else Append(slice, place, slice.Start + i, work.Head, key, key + (long)config.KvHeads * config.HeadDim);
        }
    }

    /// <summary>Adds a key to its logical page's statistics. Nothing to do for streaming heads.</summary>
    protected abstract void Count(in StepSlice slice, HeadPlace place, int position, float* key);

    protected abstract void Append(in StepSlice slice, HeadPlace place, int position, int head, float* key, float* value);

    private void AddUnits(in StepSlice slice, int index)
    {
        for (var first = 0; first < slice.Count;)
        {
            var toPageEnd = KvGeometry.PageTokens - (slice.Start + first) % KvGeometry.PageTokens;
            var count = Math.Min(toPageEnd, slice.Count - first);
            for (var head = 0; head < Kv.Geometry.KvHeads; head++) _units.Add(new(index, head, first, count, Statistics: false));
            first += count;
        }
        if (slice.Selection is null || Kv.Geometry.StatisticsBytes == 0) return;
        for (var head = 0; head < Kv.Geometry.KvHeads; head++) _units.Add(new(index, head, 0, slice.Count, Statistics: true));
    }
}

/// <inheritdoc/>
internal sealed unsafe class AppendWork<L, F> : AppendWork
    where L : ILanes<F>
    where F : struct
{
    protected override void Append(in StepSlice slice, HeadPlace place, int position, int head, float* key, float* value)
    {
        var geometry = Kv.Geometry;
        var page = Kv.Head(slice.Pages, place, position / KvGeometry.PageTokens);
        fixed (float* centres = geometry.Centres)
        {
            var centre = centres == null ? null : centres + ((long)Layer.Index * geometry.KvHeads + head) * geometry.HeadDim;
            KvWriter.Write(page, Kv.Layout, geometry, position % KvGeometry.PageTokens, key, value, centre);
        }
    }

    protected override void Count(in StepSlice slice, HeadPlace place, int position, float* key)
    {
        if (place.Streams) return;
        var page = Kv.Head(slice.Pages, place, position / KvGeometry.PageTokens);
        fixed (float* open = slice.Selection!.Open(place.Place))
            OpenPage<L, F>.Add(open, Kv.Geometry.LServe!.Statistics, key, Kv.Geometry.HeadDim, position, (ushort*)(page + Kv.Layout.Statistics));
    }
}
