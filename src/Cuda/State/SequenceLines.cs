using LServe.Cuda.Driver;
using LServe.Inference;

namespace LServe.Cuda.State;

/// <summary>
/// What the device keeps of sequences from step to step: each has a line of the page tables, by position / 64, and of the selection state. Of the
/// tables only what differs from the last step travels. A sequence that needs a line when none is free takes that of the one longest not seen,
/// whose state goes back to the host. There are as many lines as the largest step had sequences, at least <see cref="LeastLines"/>.
/// </summary>
internal sealed class SequenceLines(KvGeometry geometry) : IDisposable
{
    private const int LeastLines = 64, LeastWidth = 128;

    private readonly MirroredMemory _retrieval = new(), _streaming = new();
    private readonly Dictionary<TwoWayPageTable, int> _lineOf = [];
    private Line[] _lines = [];
    private int[] _ofSlice = [];
    private DeviceSelections? _selections;
    private long _step;
    private int _width;

    private struct Line
    {
        public TwoWayPageTable? Table;
        public SelectionState? Selection;
        public long LastStep;
    }

    /// <summary>Changes whenever addresses do: graphs captured before are void.</summary>
    public int Generation { get; private set; }

    /// <summary>[lines, <see cref="Width"/>] physical pages of the retrieval pool.</summary>
    public ulong Retrieval => _retrieval.Address;

    /// <summary>[lines, <see cref="Width"/>] physical pages of the streaming pool; those that were given back are stale.</summary>
    public ulong Streaming => _streaming.Address;
    public int Width => _width;

    /// <summary>Null when the engine has no sparse attention.</summary>
    public DeviceSelections? Selections => _selections;

    /// <summary>Line of each slice of the step.</summary>
    public ReadOnlySpan<int> OfSlice => _ofSlice;

    public void Begin(StepPlan plan, CudaStream stream)
    {
        Reserve(plan, stream);
        _step++;
        var slices = plan.Slices;
        foreach (var slice in slices)
            if (_lineOf.TryGetValue(slice.Pages, out var line)) _lines[line].LastStep = _step;
        for (var i = 0; i < slices.Length; i++)
        {
            if (!_lineOf.TryGetValue(slices[i].Pages, out var line)) line = Assign(slices[i].Pages, stream);
            _ofSlice[i] = line;
            UploadTables(slices[i], line, stream);
            if (slices[i].Selection is not { } state || state == _lines[line].Selection) continue;
            _selections!.Upload(line, state, stream);
            _lines[line].Selection = state;
        }
    }

    /// <summary>Brings a sequence's state to the host, where it counts until the sequence's next step.</summary>
    public void Return(SelectionState state, CudaStream stream)
    {
        for (var line = 0; line < _lines.Length; line++)
            if (_lines[line].Selection == state) Return(line, stream);
    }

    private void Return(int line, CudaStream stream)
    {
        if (_lines[line].Selection is { } state) _selections!.Download(line, state, stream);
        _lines[line].Selection = null;
    }

    private int Assign(TwoWayPageTable table, CudaStream stream)
    {
        var line = 0;
        for (var i = 1; i < _lines.Length; i++)
            if (_lines[i].LastStep < _lines[line].LastStep) line = i;
        Return(line, stream);
        if (_lines[line].Table is { } old) _lineOf.Remove(old);
        _lines[line] = new() { Table = table, LastStep = _step };
        _lineOf.Add(table, line);
        return line;
    }

    private void UploadTables(in StepSlice slice, int line, CudaStream stream)
    {
        var pages = KvGeometry.PagesFor(slice.Start + slice.Count);
        var held = slice.Pages.HeldStreaming;
        Upload(_retrieval, line, 0, slice.Pages.Retrieval[..pages], stream);
        if (held.IsEmpty) return;
        var sink = slice.Pages.WindowStart - slice.Pages.Dropped;
        Upload(_streaming, line, 0, held[..sink], stream);
        Upload(_streaming, line, slice.Pages.WindowStart, held[sink..(pages - slice.Pages.Dropped)], stream);
    }

    private void Upload(MirroredMemory tables, int line, int at, ReadOnlySpan<int> pages, CudaStream stream)
    {
        var known = tables.Host.Slice(line * _width + at, pages.Length);
        var first = known.CommonPrefixLength(pages);
        if (first == pages.Length) return;
        pages[first..].CopyTo(known[first..]);
        tables.Upload(stream, line * _width + at + first, pages.Length - first);
    }

    private void Reserve(StepPlan plan, CudaStream stream)
    {
        var (width, lines) = (Math.Max(_width, LeastWidth), Math.Max(_lines.Length, LeastLines));
        foreach (var slice in plan.Slices)
            while (width < KvGeometry.PagesFor(slice.Start + slice.Count)) width *= 2;
        while (lines < plan.Slices.Length) lines *= 2;
        if ((width, lines) == (_width, _lines.Length)) return;
        for (var line = 0; line < _lines.Length; line++) Return(line, stream);
        _lineOf.Clear();
        if (lines != _lines.Length && geometry.LServe is not null)
        {
            _selections?.Dispose();
            _selections = new(geometry, lines);
        }
        (_width, _lines, _ofSlice) = (width, new Line[lines], new int[lines]);
        foreach (var tables in new[] { _retrieval, _streaming })
        {
            tables.Reserve(lines * width);
            tables.Host.Fill(-1);
        }
        Generation++;
    }

    public void Dispose()
    {
        _retrieval.Dispose();
        _streaming.Dispose();
        _selections?.Dispose();
    }
}
