using LServe.Inference;

namespace LServe.Cpu;

/// <summary>Attention of all rows of a step over their pages; see <see cref="AttendPlan"/> for the units.</summary>
internal abstract unsafe class AttendWork(int threads) : ParallelWork, IDisposable
{
    protected const int Tokens = KvGeometry.PageTokens;

    protected readonly AttendPlan Units = new();
    protected readonly ThreadScratch Scratch = new(threads);
    private readonly ThreadScratch _partials = new(1);
    private int[] _unmerged = [];

    protected StepPlan Plan = null!;
    protected KvPages Kv = null!;
    protected HostBuffer Queries = null!, Output = null!;
    protected int Layer, GroupSize, Dim;

    /// <summary>Cuts the step into units, once for all layers.</summary>
    public void Begin(StepPlan plan, KvPages kv)
    {
        (Plan, Kv, Dim) = (plan, kv, kv.Geometry.HeadDim);
        Units.Build(plan, kv.Geometry.KvHeads);
        if (_unmerged.Length < Units.Groups.Count) _unmerged = new int[2 * Units.Groups.Count];
    }

    public void Run(WorkerPool pool, AttentionLayer layer, HostBuffer queries, HostBuffer output)
    {
        (Layer, GroupSize, Queries, Output) = (layer.Index, layer.Config.GroupSize, queries, output);
        var tileQueries = AttendPlan.TileRows * GroupSize;
        Scratch.Reserve(2L * Dim * Tokens + tileQueries * (3L * Dim + Tokens + 5));
        _partials.Reserve((long)Units.Partials * PartialFloats);
        for (var i = 0; i < Units.Groups.Count; i++) _unmerged[i] = Units.Groups[i];
        pool.Run(this, Units.Units);
    }

    /// <summary>Of each query of a group: D sums of values, the largest score, the sum of weights.</summary>
    protected int PartialFloats => GroupSize * (Dim + 2);

    protected float* Partial(int index) => _partials.Of(0) + (long)index * PartialFloats;

    /// <summary>Whether the caller's split was the last of its group to end.</summary>
    protected bool IsLast(int group) => Interlocked.Decrement(ref _unmerged[group]) == 0;

    public sealed override void Execute(int unit, int thread)
    {
        var work = Units[unit];
        if (work.Rows == 0) Split(work, thread);
        else Tile(work, thread);
    }

    protected abstract void Split(in AttendPlan.Unit unit, int thread);

    protected abstract void Tile(in AttendPlan.Unit unit, int thread);

    public void Dispose()
    {
        Scratch.Dispose();
        _partials.Dispose();
    }
}

/// <inheritdoc/>
internal sealed unsafe partial class AttendWork<L, F>(int threads) : AttendWork(threads)
    where L : ILanes<F>
    where F : struct
{
    /// <summary>Copies the queries of one row and KV head, multiplied by log₂e / √D.</summary>
    private void LoadQueries(int row, int head, float* to)
    {
        var scale = (float)(1.4426950408889634 / Math.Sqrt(Dim));
        var from = Queries.Row(row) + (long)head * GroupSize * Dim;
        for (var i = 0; i < GroupSize * Dim; i += L.Width) L.Store(to + i, L.Multiply(L.Load(from + i), L.Fill(scale)));
    }

    private float* OutputOf(int row, int head) => Output.Row(row) + (long)head * GroupSize * Dim;
}
