using System.Numerics;
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
    protected PageLists Lists = null!;
    protected HostBuffer Queries = null!, Output = null!;
    protected int Layer, GroupSize, Dim;

    public void Begin(StepPlan plan, KvPages kv, PageLists lists) => (Plan, Kv, Lists, Dim) = (plan, kv, lists, kv.Geometry.HeadDim);

    public void Run(WorkerPool pool, AttentionLayer layer, HostBuffer queries, HostBuffer output)
    {
        (Layer, GroupSize, Queries, Output) = (layer.Index, layer.Config.GroupSize, queries, output);
        Units.Build(Plan, Lists, Kv.Geometry.Heads, Layer);
        if (_unmerged.Length < Units.Groups.Count) _unmerged = new int[2 * Units.Groups.Count];
        for (var i = 0; i < Units.Groups.Count; i++) _unmerged[i] = Units.Groups[i].Splits;
        var tileQueries = AttendPlan.TileRows * GroupSize;
        Scratch.Reserve(2L * Dim * Tokens + tileQueries * (3L * Dim + Tokens + 7));
        _partials.Reserve((long)Units.Partials * PartialFloats);
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
    private bool IsQuantised => Kv.Geometry.Precision.IsQuantised();

    private HeadPlace Place(int head) => Kv.Geometry.Heads[Layer, head];

    /// <summary>
    /// Copies the queries of one row and KV head, multiplied by log₂e / √D; where keys are rotated, rotated too.
    /// </summary>
    /// <param name="totals">Of each query the sum of its channels; used with quantised keys alone.</param>
    private void LoadQueries(int row, int head, float* to, float* totals)
    {
        var scale = (float)(1.4426950408889634 / Math.Sqrt(Dim));
        var from = Queries.Row(row) + (long)head * GroupSize * Dim;
        for (var i = 0; i < GroupSize * Dim; i += L.Width) L.Store(to + i, L.Multiply(L.Load(from + i), L.Fill(scale)));
        if (!IsQuantised) return;
        for (var q = 0; q < GroupSize; q++, to += Dim)
        {
            Hadamard.Rotate(to, Dim);
            totals[q] = KvReader<L, F>.Sum(to, Dim);
        }
    }

    /// <summary>Sums of query · code become scores.</summary>
    private void Rescale(byte* page, float* totals, int queries, float* scores)
    {
        for (var i = 0; i < queries; i++)
            KvReader<L, F>.Rescale(scores + i * Tokens, (ushort*)(page + Kv.Layout.KeyScales), totals[i], step: 1, offset: 0);
    }

    /// <summary>Turns a page's scores into weights of the tokens seen. Returns what earlier sums are to be multiplied by.</summary>
    private static float AddScores(float* scores, ulong seen, float* largest, float* sum)
    {
        if (seen == 0)
        {
            new Span<float>(scores, Tokens).Clear();
            return 1;
        }
        var visible = Tokens - BitOperations.LeadingZeroCount(seen);
        if (BitOperations.PopCount(seen) != visible)
            for (var i = 0; i < visible; i++)
                if ((seen >> i & 1) == 0)
                    scores[i] = float.NegativeInfinity;
        return OnlineSoftmax<L, F>.Add(scores, visible, largest, sum);
    }

    private ulong Seen(in PageWalk walk, int position, int page) => walk.Windowed
        ? PageVisibility.Streaming(position, page, Kv.Geometry.LServe!.Sink, Kv.Geometry.LServe.Local)
        : PageVisibility.Causal(position, page);

    private void Finish(float sum, float* values, float* output)
    {
        OnlineSoftmax<L, F>.Finish(sum, values, output, Dim);
        if (IsQuantised) Hadamard.Rotate(output, Dim);
    }

    private float* OutputOf(int row, int head) => Output.Row(row) + (long)head * GroupSize * Dim;
}
