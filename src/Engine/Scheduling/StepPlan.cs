using System.Runtime.InteropServices;

namespace LServe.Inference;

/// <summary>Which kernels compute a slice. Rows keep their kind in a replay, so that they keep their bits.</summary>
public enum SliceKind
{
    /// <summary>One row, by the decode kernels.</summary>
    Decode,

    /// <summary>Rows of a prompt, by the prefill kernels.</summary>
    Prefill,
}

/// <summary>Consecutive rows of a step that belong to one sequence.</summary>
/// <param name="Pages">The sequence's table; already has room for the rows.</param>
/// <param name="FirstRow">Row of the step the slice begins at.</param>
/// <param name="Count">Rows, at least 1; exactly 1 when decoding.</param>
/// <param name="Start">Position of the first row; every earlier position is in the cache.</param>
/// <param name="Selection">What page selection keeps of a sparse sequence; null: the sequence attends to everything.</param>
/// <param name="Renew">Whether a decode row renews what is kept (<see cref="LServeOptions.MustRenew"/>).</param>
public readonly record struct StepSlice(
    TwoWayPageTable Pages, SliceKind Kind, int FirstRow, int Count, int Start, SelectionState? Selection = null, bool Renew = false);

/// <summary>
/// What one step computes: rows of tokens with their positions, grouped into slices, decode slices first. Reused from step to step;
/// grows to the largest step and then allocates no more.
/// </summary>
public sealed class StepPlan
{
    private readonly List<int> _tokens = [], _positions = [], _logitRows = [];
    private readonly List<StepSlice> _slices = [];

    public int Rows => _tokens.Count;
    public ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(_tokens);
    public ReadOnlySpan<int> Positions => CollectionsMarshal.AsSpan(_positions);
    public ReadOnlySpan<StepSlice> Slices => CollectionsMarshal.AsSpan(_slices);

    /// <summary>Rows whose logits are wanted, ascending.</summary>
    public ReadOnlySpan<int> LogitRows => CollectionsMarshal.AsSpan(_logitRows);

    public void Clear()
    {
        _tokens.Clear();
        _positions.Clear();
        _logitRows.Clear();
        _slices.Clear();
    }

    /// <param name="logits">Whether the row's logits are wanted: not so when a known token is replayed.</param>
    /// <param name="selection">Of a sparse sequence, else null.</param>
    /// <param name="renew">See <see cref="StepSlice"/>.</param>
    public void AddDecode(TwoWayPageTable pages, int position, int token, bool logits, SelectionState? selection = null, bool renew = false)
    {
        if (_slices.Count > 0 && _slices[^1].Kind == SliceKind.Prefill)
            throw new InvalidOperationException("Decode slices come before prefill slices.");
        Add(new(pages, SliceKind.Decode, Rows, 1, position, selection, renew), [token], logits ? LogitChoice.Last : LogitChoice.None);
    }

    /// <param name="selection">Of a sparse sequence, else null.</param>
    public void AddPrefill(TwoWayPageTable pages, int start, ReadOnlySpan<int> tokens, LogitChoice logits, SelectionState? selection = null) =>
        Add(new(pages, SliceKind.Prefill, Rows, tokens.Length, start, selection), tokens, logits);

    private void Add(in StepSlice slice, ReadOnlySpan<int> tokens, LogitChoice logits)
    {
        var (pages, start) = (slice.Pages, slice.Start);
        if (tokens.IsEmpty) throw new ArgumentException("A slice has at least one row.", nameof(tokens));
        if (start + tokens.Length > pages.Capacity)
            throw new ArgumentException($"Positions {start} to {start + tokens.Length - 1} don't fit a table with room for {pages.Capacity}.", nameof(start));
        _slices.Add(slice);
        for (var i = 0; i < tokens.Length; i++)
        {
            if (logits == LogitChoice.All || (logits == LogitChoice.Last && i == tokens.Length - 1)) _logitRows.Add(Rows);
            _positions.Add(start + i);
            _tokens.Add(tokens[i]);
        }
    }
}

/// <summary>Rows of a slice whose logits are wanted.</summary>
public enum LogitChoice
{
    None,
    Last,
    All,
}
