using LServe.Inference;

namespace LServe.Cpu;

/// <summary>
/// A step's attention as units of work, the same for every layer. A slice of one row is cut by KV head and by splits of
/// <see cref="SplitPages"/> pages; one of more rows by KV head and tiles of <see cref="TileRows"/> rows, which walk the splits alone.
/// Splits are the same for everybody and merged in ascending order, so results depend neither on threads nor on the batch.
/// </summary>
internal sealed class AttendPlan
{
    /// <summary>Pages: 256 tokens, 64 KiB of float16 keys and values for 64 channels, some 5 µs of work.</summary>
    public const int SplitPages = 4;

    /// <summary>Rows of a prompt that share each page they read.</summary>
    public const int TileRows = 16;

    /// <param name="First">A split's number, or a tile's first row within the slice.</param>
    /// <param name="Rows">Rows of the tile; 0: the unit is a split.</param>
    /// <param name="Partial">Where the split's result goes.</param>
    /// <param name="Group">The splits that are merged together: index into the counts of those still at work.</param>
    public readonly record struct Unit(int Slice, int Head, int First, int Rows, int Partial, int Group);

    private readonly List<Unit> _units = [];
    private readonly List<int> _splits = [];

    public int Units => _units.Count;

    /// <summary>Results of splits to keep.</summary>
    public int Partials { get; private set; }

    /// <summary>Splits of each group.</summary>
    public IReadOnlyList<int> Groups => _splits;

    public Unit this[int unit] => _units[unit];

    public void Build(StepPlan plan, int heads)
    {
        _units.Clear();
        _splits.Clear();
        Partials = 0;
        var slices = plan.Slices;
        for (var i = 0; i < slices.Length; i++)
            if (slices[i].Count > 1) AddTiles(i, slices[i].Count, heads);
        for (var i = 0; i < slices.Length; i++)
            if (slices[i].Count == 1) AddSplits(i, slices[i].Start + 1, heads);
    }

    /// <summary>The last tiles see most tokens: they come first, so that threads end together.</summary>
    private void AddTiles(int slice, int rows, int heads)
    {
        for (var first = (rows - 1) / TileRows * TileRows; first >= 0; first -= TileRows)
            for (var head = 0; head < heads; head++)
                _units.Add(new(slice, head, first, Math.Min(TileRows, rows - first), 0, 0));
    }

    private void AddSplits(int slice, int tokens, int heads)
    {
        var splits = (KvGeometry.PagesFor(tokens) + SplitPages - 1) / SplitPages;
        for (var head = 0; head < heads; head++)
        {
            for (var split = 0; split < splits; split++) _units.Add(new(slice, head, split, 0, Partials++, _splits.Count));
            _splits.Add(splits);
        }
    }
}
