using LServe.Inference;

namespace LServe.Cpu;

/// <summary>What the heads of one layer read: for every sparse slice, KV head and query block a list of chosen pages. Filled by <see cref="SelectWork"/>.</summary>
internal sealed class PageLists
{
    private readonly List<(int Entry, int Page, int Room)> _slices = [];
    private int[] _pages = [], _counts = [];
    private KvGeometry _geometry = null!;

    /// <summary>The lists' storage; begins with the numbers of the sink's pages.</summary>
    public ReadOnlySpan<int> Pages => _pages;

    public void Begin(StepPlan plan, KvGeometry geometry)
    {
        _geometry = geometry;
        _slices.Clear();
        int entries = 0, sink = KvGeometry.PagesFor(geometry.LServe?.Sink ?? 0), pages = sink;
        foreach (var slice in plan.Slices)
        {
            var room = Room(slice);
            _slices.Add((entries, pages, room));
            if (room == 0) continue;
            var lists = Blocks(slice) * geometry.KvHeads;
            (entries, pages) = (entries + lists, pages + lists * room);
        }
        if (_counts.Length < entries) _counts = new int[2 * entries];
        if (_pages.Length >= pages) return;
        _pages = new int[2 * pages];
        for (var i = 0; i < sink; i++) _pages[i] = i;
    }

    /// <summary>Query blocks of a slice: 1 of a decode row.</summary>
    public static int Blocks(in StepSlice slice) =>
        (slice.Start + slice.Count - 1) / LServeOptions.QueryBlock - slice.Start / LServeOptions.QueryBlock + 1;

    /// <summary>Position of a block's first row within its slice.</summary>
    public static int BlockStart(in StepSlice slice, int block) =>
        Math.Max(slice.Start, (slice.Start / LServeOptions.QueryBlock + block) * LServeOptions.QueryBlock);

    /// <summary>Whether a retrieval head's rows from <paramref name="at"/> on choose their pages.</summary>
    public bool Chooses(in StepSlice slice, int at) =>
        slice.Selection is not null && _geometry.LServe!.Policy != SelectionPolicy.All
        && (slice.Kind == SliceKind.Decode || at >= _geometry.LServe.PrefillThreshold);

    public Span<int> RoomFor(int slice, int head, int block)
    {
        var (_, page, room) = _slices[slice];
        return _pages.AsSpan(page + (block * _geometry.KvHeads + head) * room, room);
    }

    public void Set(int slice, int head, int block, int count) => _counts[_slices[slice].Entry + block * _geometry.KvHeads + head] = count;

    public ReadOnlySpan<int> Chosen(int slice, int head, int block = 0) =>
        RoomFor(slice, head, block)[.._counts[_slices[slice].Entry + block * _geometry.KvHeads + head]];

    /// <summary>The pages a head reads for rows of one query block.</summary>
    /// <param name="first">Position of the first row.</param>
    /// <param name="last">Position of the last row.</param>
    public PageWalk Walk(in StepSlice slice, int index, HeadPlace place, int head, int first, int last)
    {
        var all = KvGeometry.PagesFor(last + 1);
        if (slice.Selection is null) return PageWalk.All(all);
        if (place.Streams) return PageWalk.Window(first, last, _geometry.LServe!);
        var block = first / LServeOptions.QueryBlock - slice.Start / LServeOptions.QueryBlock;
        var at = BlockStart(slice, block);
        if (!Chooses(slice, at)) return PageWalk.All(all);
        var (entry, page, room) = _slices[index];
        var list = block * _geometry.KvHeads + head;
        // A prompt's rows see every token after the pages that were complete before their block.
        var past = slice.Kind == SliceKind.Decode ? all : at / KvGeometry.PageTokens;
        return new(page + list * room, _counts[entry + list], past, all, Windowed: false);
    }

    private int Room(in StepSlice slice)
    {
        if (!Chooses(slice, slice.Start + slice.Count - 1)) return 0;
        return slice.Kind == SliceKind.Decode ? _geometry.LServe!.BudgetPages : _geometry.LServe!.PrefillBudget / KvGeometry.PageTokens;
    }
}
