using LServe.Inference;

namespace LServe.Cpu;

/// <summary>
/// A layer's attention as units of work. A slice of one row is cut by KV head and by splits of its walk (<see cref="PageWalk"/>); one of more
/// rows by KV head and tiles of at most <see cref="TileRows"/> rows of one query block, which walk the splits alone. Splits follow from the
/// row's own walk and are merged in ascending order, so results depend neither on threads nor on the batch.
/// </summary>
internal sealed class AttendPlan
{
    /// <summary>Rows of a prompt that share each page they read; they begin at absolute multiples of this.</summary>
    public const int TileRows = 16;

    /// <param name="First">A split's first entry of the walk, or a tile's first row within the slice.</param>
    /// <param name="Rows">Rows of the tile; 0: the unit is a split.</param>
    /// <param name="Partial">Where the split's result goes.</param>
    /// <param name="Group">The splits that are merged together.</param>
    public readonly record struct Unit(int Slice, int Head, int First, int Rows, int Partial, int Group);

    /// <param name="Partial">First of its results.</param>
    public readonly record struct Group(int Partial, int Splits);

    private readonly List<Unit> _units = [];
    private readonly List<Group> _groups = [];

    public int Units => _units.Count;

    /// <summary>Results of splits to keep.</summary>
    public int Partials { get; private set; }

    public IReadOnlyList<Group> Groups => _groups;

    public Unit this[int unit] => _units[unit];

    public void Build(StepPlan plan, PageLists lists, HeadLayout layout, int layer)
    {
        _units.Clear();
        _groups.Clear();
        Partials = 0;
        var slices = plan.Slices;
        var places = layout.Layer(layer);
        for (var i = 0; i < slices.Length; i++)
            if (slices[i].Count > 1) AddTiles(slices[i], i, places.Length);
        for (var i = 0; i < slices.Length; i++)
            if (slices[i].Count == 1)
                for (var head = 0; head < places.Length; head++)
                    AddSplits(lists.Walk(slices[i], i, places[head], head, slices[i].Start, slices[i].Start), lists.Pages, i, head);
    }

    /// <summary>The last tiles see most tokens: they come first, so that threads end together.</summary>
    private void AddTiles(in StepSlice slice, int index, int heads)
    {
        for (var end = slice.Start + slice.Count; end > slice.Start;)
        {
            var first = Math.Max(slice.Start, (end - 1) / TileRows * TileRows);
            for (var head = 0; head < heads; head++) _units.Add(new(index, head, first - slice.Start, end - first, 0, 0));
            end = first;
        }
    }

    private void AddSplits(in PageWalk walk, ReadOnlySpan<int> pages, int slice, int head)
    {
        var splits = 0;
        for (var first = 0; first < walk.Count; first = walk.SplitEnd(first, pages), splits++)
            _units.Add(new(slice, head, first, 0, Partials + splits, _groups.Count));
        _groups.Add(new(Partials, splits));
        Partials += splits;
    }
}
