using System.Runtime.InteropServices;
using LServe.Cuda.Driver;
using LServe.Cuda.Launch;
using LServe.Inference;

using TokenRun = LServe.Cuda.Launch.TokenRun;

namespace LServe.Cuda.State;

/// <summary>
/// What the device knows of a step's rows, at fixed addresses and in one copy: of each row token, position, line of its sequence, what it does
/// and the run it is appended by; past these, prompts' further runs and query blocks.
/// </summary>
internal sealed class StepInputs : IDisposable
{
    private const int LeastRows = 64, RunInts = 4, BlockInts = 8;
    private const int Runs = 6, Later = Runs + RunInts, Blocks = Later + RunInts, Fields = Blocks + BlockInts;  // in units of `_maxRows` integers

    private readonly MirroredMemory _rows = new();
    private readonly List<TokenRun> _runs = [], _later = [];
    private readonly List<PrefillBlock> _blocks = [];
    private int _maxRows, _lists;

    /// <summary>Changes whenever addresses do: graphs captured before are void.</summary>
    public int Generation { get; private set; }

    public ulong Tokens => Field(0);
    public ulong Positions => Field(1);

    /// <summary>Line of each row's sequence (<see cref="SequenceLines"/>).</summary>
    public ulong Lines => Field(2);

    /// <summary>A <see cref="RowMode"/> a row.</summary>
    public ulong Modes => Field(3);
    public ulong LogitRows => Field(4);

    /// <summary>Rows that choose their pages anew, then −1.</summary>
    public ulong Renewing => Field(5);

    /// <summary>Runs of one append launch, and of a second one after it.</summary>
    public (ulong Address, int Count) FirstRuns => (Field(Runs), _runs.Count);
    public (ulong Address, int Count) LaterRuns => (Field(Later), _later.Count);
    public (ulong Address, int Count) PromptBlocks => (Field(Blocks), _blocks.Count);

    /// <summary>Those of them that choose their pages, numbered from 0.</summary>
    public (ulong Address, int Count) ChoosingBlocks => (Field(Blocks) + (ulong)((_blocks.Count - _lists) * BlockInts * sizeof(int)), _lists);

    /// <summary>Position of the first row of the last choosing block.</summary>
    public int LastChoosing { get; private set; }

    /// <param name="choosesFrom">Position from which sparse prompts choose, where more pages lie before a block than it may read.</param>
    public void Upload(StepPlan plan, ReadOnlySpan<int> lines, Func<int, bool> choosesFrom, CudaStream stream)
    {
        Reserve(plan.Rows);
        var host = _rows.Host;
        plan.Tokens.CopyTo(host);
        plan.Positions.CopyTo(host[_maxRows..]);
        plan.LogitRows.CopyTo(host[(4 * _maxRows)..]);
        _runs.Clear();
        _later.Clear();
        _blocks.Clear();
        _lists = 0;
        var renewing = host.Slice(5 * _maxRows, _maxRows);
        renewing.Fill(-1);
        var renews = 0;
        for (var i = 0; i < plan.Slices.Length; i++)
        {
            var slice = plan.Slices[i];
            host.Slice(2 * _maxRows + slice.FirstRow, slice.Count).Fill(lines[i]);
            host.Slice(3 * _maxRows + slice.FirstRow, slice.Count).Fill((int)(slice.Selection is null ? RowMode.Dense : RowMode.Sparse));
            if (slice.Renew && slice.Selection is not null) renewing[renews++] = slice.FirstRow;
            AttentionAppend.AddRuns(_runs, _later, slice.FirstRow, slice.Count, slice.Start, lines[i]);
            if (slice.Kind == SliceKind.Prefill)
                AddBlocks(slice, lines[i], choosesFrom);
        }
        Put(_runs, Runs);
        if (_blocks.Count == 0)
        {
            _rows.Upload(stream, 0, Later * _maxRows);
            return;
        }
        NumberLists();
        Put(_later, Later);
        Put(_blocks, Blocks);
        _rows.Upload(stream, 0, Fields * _maxRows);
    }

    private void AddBlocks(in StepSlice slice, int line, Func<int, bool> chooses)
    {
        var dense = slice.Selection is null;
        AttentionPrefill.AddBlocks(_blocks, slice.FirstRow, slice.Count, slice.Start, line, at => !dense && chooses(at) ? 0 : -1, dense);
    }

    /// <summary>Blocks that read everything come first, those of the longest contexts before others.</summary>
    private void NumberLists()
    {
        _blocks.Sort((a, b) => a.List != b.List ? a.List.CompareTo(b.List) : b.Position.CompareTo(a.Position));
        (_lists, LastChoosing) = (0, 0);
        for (var i = 0; i < _blocks.Count; i++)
        {
            if (_blocks[i].List < 0) continue;
            LastChoosing = Math.Max(LastChoosing, _blocks[i].Position);
            _blocks[i] = _blocks[i] with { List = _lists++ };
        }
    }

    /// <summary>A line's query block by its number within the step; null if the line has no prompt in this step.</summary>
    public PrefillBlock? BlockOf(int line, int number)
    {
        var own = _blocks.Where(b => b.Sequence == line).OrderBy(b => b.Position).ToArray();
        return own.Length == 0 ? null : own[number];
    }

    private void Put<T>(List<T> items, int field) where T : unmanaged =>
        MemoryMarshal.Cast<T, int>(CollectionsMarshal.AsSpan(items)).CopyTo(_rows.Host[(field * _maxRows)..]);

    private void Reserve(int rows)
    {
        var most = Math.Max(_maxRows, LeastRows);
        while (most < rows) most *= 2;
        if (most == _maxRows) return;
        _maxRows = most;
        _rows.Reserve(Fields * most);
        Generation++;
    }

    private ulong Field(int field) => _rows.Address + (ulong)((long)field * _maxRows * sizeof(int));

    public void Dispose() => _rows.Dispose();
}
