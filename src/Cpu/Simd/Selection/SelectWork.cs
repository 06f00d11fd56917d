using LServe.Inference;

namespace LServe.Cpu;

/// <summary>
/// Chooses the pages of sparse slices for one layer, in two passes. First: pages are scored from their statistics, where something is renewed
/// and more pages are there than may be kept; a unit is a head of a decode row or of a prompt's query block. Second (<c>two-stage</c>, and the
/// oracle): eligible pages are scored by the high bits of their keys' codes; units are <see cref="ChunkPages"/> pages of a head.
/// </summary>
internal abstract unsafe class SelectWork(int threads) : ParallelWork, IDisposable
{
    /// <summary>Pages: 1,024 tokens of a sketch, some 5 µs of work.</summary>
    protected const int ChunkPages = 16;

    /// <param name="Block">Of the first pass: the query block.</param>
    /// <param name="First">Of the second pass: place of the first eligible page.</param>
    /// <param name="Group">Of the second pass: which units belong together.</param>
    protected readonly record struct Unit(int Slice, int Head, int Block, int First, int Group);

    /// <param name="Eligible">Where the eligible pages begin in <see cref="Eligible"/>.</param>
    /// <param name="Parts">Where their shares begin in <see cref="Parts"/>, in floats.</param>
    protected readonly record struct Group(int Eligible, int Count, long Parts);

    protected readonly ThreadScratch Scratch = new(threads), Parts = new(1);
    protected readonly List<Unit> Units = [];
    protected readonly List<Group> Groups = [];
    protected readonly PageLists Lists = new();
    private readonly List<Unit> _refined = [];
    private int[] _unfinished = [];
    private bool _anySparse;

    protected StepPlan Plan = null!;
    protected KvPages Kv = null!;
    protected AttentionLayer Layer = null!;
    protected HostBuffer Qkv = null!;
    protected int[] Eligible = [];
    protected bool Refines;

    protected LServeOptions Options => Kv.Geometry.LServe!;
    protected int GroupSize => Layer.Config.GroupSize;
    protected int Dim => Kv.Geometry.HeadDim;

    public PageLists Begin(StepPlan plan, KvPages kv)
    {
        (Plan, Kv) = (plan, kv);
        Lists.Begin(plan, kv.Geometry);
        _anySparse = false;
        foreach (var slice in plan.Slices) _anySparse |= slice.Selection is not null;
        return Lists;
    }

    public void Run(WorkerPool pool, AttentionLayer layer, HostBuffer qkv)
    {
        if (!_anySparse || Options.Policy == SelectionPolicy.All) return;
        (Layer, Qkv) = (layer, qkv);
        Score(pool);
        if (Options.Policy is SelectionPolicy.TwoStage or SelectionPolicy.Oracle) Refine(pool);
        else CopyKept();
    }

    public sealed override void Execute(int unit, int thread)
    {
        if (!Refines) ScoreUnit(Units[unit], Scratch.Of(thread));
        else if (RefineUnit(_refined[unit], Scratch.Of(thread)))
            FinishUnit(_refined[unit], Scratch.Of(thread));
    }

    /// <summary>Whether the unit was the last of its group.</summary>
    protected bool IsLast(int group) => Interlocked.Decrement(ref _unfinished[group]) == 0;

    protected abstract void ScoreUnit(in Unit unit, float* scratch);

    /// <returns>Whether all of the group's pages are scored now.</returns>
    protected abstract bool RefineUnit(in Unit unit, float* scratch);

    protected abstract void FinishUnit(in Unit unit, float* scratch);

    /// <summary>Floats from one query's page scores to the next: whole vectors of any width.</summary>
    protected static int Stride(int pages) => (pages + 31) / 16 * 16;

    /// <summary>Floats of one thread's scratch.</summary>
    protected abstract long ScratchFloats(int queries, int pages);

    private void Score(WorkerPool pool)
    {
        Units.Clear();
        Refines = false;
        int queries = 0, pages = 0;
        for (var i = 0; i < Plan.Slices.Length; i++)
        {
            var slice = Plan.Slices[i];
            if (slice.Selection is null) continue;
            for (var head = 0; head < Kv.Geometry.KvHeads; head++)
                if (!Kv.Geometry.Heads[Layer.Index, head].Streams)
                    AddScored(slice, i, head, ref queries);
            pages = Math.Max(pages, KvGeometry.PagesFor(slice.Start + slice.Count));
        }
        if (Units.Count == 0) return;
        Scratch.Reserve(ScratchFloats(queries, pages));
        pool.Run(this, Units.Count);
    }

    private void AddScored(in StepSlice slice, int index, int head, ref int queries)
    {
        if (slice.Kind == SliceKind.Decode)
        {
            if (!slice.Renew || Options.KeptPages == 0) return;
            var pages = KvGeometry.PagesFor(slice.Start + 1);
            if (pages <= Options.KeptPages) KeepAll(slice, head, pages);
            else Units.Add(new(index, head, 0, 0, 0));
            queries = Math.Max(queries, GroupSize);
            return;
        }
        for (var block = 0; block < PageLists.Blocks(slice); block++)
            if (Lists.Chooses(slice, PageLists.BlockStart(slice, block)))
                Units.Add(new(index, head, block, 0, 0));
        queries = Math.Max(queries, Math.Min(LServeOptions.QueryBlock, slice.Count) * GroupSize);
    }

    private void KeepAll(in StepSlice slice, int head, int pages)
    {
        var place = Kv.Geometry.Heads[Layer.Index, head].Place;
        var room = slice.Selection!.KeptRoom(place);
        for (var page = 0; page < pages; page++) room[page] = page;
        slice.Selection.SetKept(place, pages);
    }

    private void CopyKept()
    {
        for (var i = 0; i < Plan.Slices.Length; i++)
        {
            var slice = Plan.Slices[i];
            if (slice.Selection is null || slice.Kind != SliceKind.Decode) continue;
            for (var head = 0; head < Kv.Geometry.KvHeads; head++)
                if (Kv.Geometry.Heads[Layer.Index, head] is { Streams: false } place)
                {
                    var kept = slice.Selection.Kept(place.Place);
                    kept.CopyTo(Lists.RoomFor(i, head, 0));
                    Lists.Set(i, head, 0, kept.Length);
                }
        }
    }

    private void Refine(WorkerPool pool)
    {
        _refined.Clear();
        Groups.Clear();
        Refines = true;
        var (eligible, parts) = (0, 0L);
        for (var i = 0; i < Plan.Slices.Length; i++)
        {
            var slice = Plan.Slices[i];
            if (slice.Selection is null || slice.Kind != SliceKind.Decode) continue;
            for (var head = 0; head < Kv.Geometry.KvHeads; head++)
                if (!Kv.Geometry.Heads[Layer.Index, head].Streams)
                    AddRefined(slice, i, head, ref eligible, ref parts);
        }
        if (_refined.Count == 0) return;
        if (_unfinished.Length < Groups.Count) _unfinished = new int[2 * Groups.Count];
        for (var i = 0; i < Groups.Count; i++) _unfinished[i] = (Groups[i].Count + ChunkPages - 1) / ChunkPages;
        Parts.Reserve(parts);
        Scratch.Reserve(ScratchFloats(GroupSize, KvGeometry.PagesFor(LongestContext())));
        pool.Run(this, _refined.Count);
    }

    private int LongestContext()
    {
        var longest = 0;
        foreach (var slice in Plan.Slices) longest = Math.Max(longest, slice.Start + slice.Count);
        return longest;
    }

    /// <summary>Eligible are the candidates, however old, and today's forced pages; where they all fit the budget they are all read.</summary>
    private void AddRefined(in StepSlice slice, int index, int head, ref int eligible, ref long parts)
    {
        var pages = KvGeometry.PagesFor(slice.Start + 1);
        if (Eligible.Length < eligible + pages) Array.Resize(ref Eligible, 2 * (eligible + pages));
        var to = Eligible.AsSpan(eligible, pages);
        var count = Options.Policy == SelectionPolicy.Oracle
            ? Fill(to)
            : Merge(slice.Selection!.Kept(Kv.Geometry.Heads[Layer.Index, head].Place), pages, to);
        if (count <= Options.BudgetPages)
        {
            to[..count].CopyTo(Lists.RoomFor(index, head, 0));
            Lists.Set(index, head, 0, count);
            return;
        }
        for (var first = 0; first < count; first += ChunkPages) _refined.Add(new(index, head, 0, first, Groups.Count));
        Groups.Add(new(eligible, count, parts));
        eligible += count;
        parts += 2L * GroupSize * Stride(count);
    }

    private static int Fill(Span<int> to)
    {
        for (var page = 0; page < to.Length; page++) to[page] = page;
        return to.Length;
    }

    /// <summary>Ascending: the first forced pages, what was kept, the last forced pages.</summary>
    private int Merge(ReadOnlySpan<int> kept, int pages, Span<int> to)
    {
        var count = 0;
        for (var page = 0; page < Math.Min(Options.SinkPages, pages); page++) to[count++] = page;
        var first = count;
        var recent = Math.Max(first, pages - Options.RecentPages);
        foreach (var page in kept)
            if (page >= first && page < recent) to[count++] = page;
        for (var page = recent; page < pages; page++) to[count++] = page;
        return count;
    }

    public void Dispose()
    {
        Scratch.Dispose();
        Parts.Dispose();
    }
}
