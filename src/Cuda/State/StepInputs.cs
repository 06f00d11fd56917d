using LServe.Cuda.Driver;
using LServe.Inference;

namespace LServe.Cuda.State;

/// <summary>
/// What the device knows of a step: tokens, positions, table lines and logit rows of its rows, in one copy, and the page tables of its
/// sequences, of which only what differs from the last step travels.
/// </summary>
internal sealed class StepInputs : IDisposable
{
    private const int Fields = 4, LeastRows = 64, LeastLines = 64, LeastWidth = 128;

    private readonly MirroredMemory _rows = new(), _tables = new();
    private int _maxRows, _lines, _width;

    /// <summary>Changes whenever addresses do: graphs captured before are void.</summary>
    public int Generation { get; private set; }

    public ulong Tokens => Field(0);
    public ulong Positions => Field(1);

    /// <summary>Line of the tables that belongs to each row's sequence.</summary>
    public ulong Lines => Field(2);
    public ulong LogitRows => Field(3);

    /// <summary>[lines, <see cref="Width"/>] physical pages.</summary>
    public ulong Tables => _tables.Address;
    public int Width => _width;

    public void Upload(StepPlan plan, CudaStream stream)
    {
        Reserve(plan);
        var host = _rows.Host;
        plan.Tokens.CopyTo(host);
        plan.Positions.CopyTo(host[_maxRows..]);
        plan.LogitRows.CopyTo(host[(3 * _maxRows)..]);
        var slices = plan.Slices;
        for (var line = 0; line < slices.Length; line++)
        {
            host.Slice(2 * _maxRows + slices[line].FirstRow, slices[line].Count).Fill(line);
            UploadTable(slices[line], line, stream);
        }
        _rows.Upload(stream, 0, Fields * _maxRows);
    }

    /// <summary>Only the pages the step reads count; what lies behind them may be stale.</summary>
    private void UploadTable(in StepSlice slice, int line, CudaStream stream)
    {
        var pages = slice.Pages.Retrieval[..KvGeometry.PagesFor(slice.Start + slice.Count)];
        var known = _tables.Host.Slice(line * _width, pages.Length);
        var first = known.CommonPrefixLength(pages);
        if (first == pages.Length) return;
        pages[first..].CopyTo(known[first..]);
        _tables.Upload(stream, line * _width + first, pages.Length - first);
    }

    private void Reserve(StepPlan plan)
    {
        var (rows, width) = (Math.Max(_maxRows, LeastRows), Math.Max(_width, LeastWidth));
        while (rows < plan.Rows) rows *= 2;
        foreach (var slice in plan.Slices)
            while (width < KvGeometry.PagesFor(slice.Start + slice.Count)) width *= 2;
        var lines = Math.Max(_lines, LeastLines);
        while (lines < plan.Slices.Length) lines *= 2;
        if ((rows, width, lines) == (_maxRows, _width, _lines)) return;
        _rows.Reserve(Fields * rows);
        _tables.Reserve(lines * width);
        (_maxRows, _width, _lines) = (rows, width, lines);
        _tables.Host.Fill(-1);
        Generation++;
    }

    private ulong Field(int field) => _rows.Address + (ulong)(field * _maxRows * sizeof(int));

    public void Dispose()
    {
        _rows.Dispose();
        _tables.Dispose();
    }
}
