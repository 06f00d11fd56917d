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
public readonly record struct StepSlice(TwoWayPageTable Pages, SliceKind Kind, int FirstRow, int Count, int Start);

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
    public void AddDecode(TwoWayPageTable pages, int position, int token, bool logits)
    {
        if (_slices.Count > 0 && _slices[^1].Kind == SliceKind.Prefill)
            throw new InvalidOperationException("Decode slices come before prefill slices.");
        Add(pages, SliceKind.Decode, position, [token], logits ? LogitChoice.Last : LogitChoice.None);
    }

    public void AddPrefill(TwoWayPageTable pages, int start, ReadOnlySpan<int> tokens, LogitChoice logits) =>
        Add(pages, SliceKind.Prefill, start, tokens, logits);

    private void Add(TwoWayPageTable pages, SliceKind kind, int start, ReadOnlySpan<int> tokens, LogitChoice logits)
    {
        if (tokens.IsEmpty) throw new ArgumentException("A slice has at least one row.", nameof(tokens));
        if (start + tokens.Length > pages.Capacity)
            throw new ArgumentException($"Positions {start} to {start + tokens.Length - 1} don't fit a table with room for {pages.Capacity}.", nameof(start));
        _slices.Add(new(pages, kind, Rows, tokens.Length, start));
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
