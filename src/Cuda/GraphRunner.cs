using LServe.Cuda.Attention;
using LServe.Cuda.Driver;

namespace LServe.Cuda;

/// <summary>
/// Turns steps of one shape into captured graphs: the first of a shape runs as it is issued (and loads what it needs), the second is
/// recorded, and later ones only launch the recording. A step's inputs lie at fixed addresses, so that the recording stays true.
/// </summary>
internal sealed class GraphRunner(CudaStream stream) : IDisposable
{
    /// <summary>Graphs kept; past it all are dropped and recorded anew.</summary>
    public const int MaxGraphs = 128;

    private readonly Dictionary<StepShape, CudaGraph?> _graphs = [];
    private StepShape _shape;
    private Mode _mode;

    private enum Mode
    {
        Direct,
        Record,
        Replay,
    }

    /// <param name="Decode">How large launches are.</param>
    /// <param name="Generation">Sum of the generations of everything whose address a recording holds.</param>
    internal readonly record struct StepShape(DecodeShape Decode, int LogitRows, int Generation);

    /// <summary>Nodes of the graph that was launched last.</summary>
    public int Nodes { get; private set; }

    /// <summary>Whether operations shall be issued; otherwise the step is a replay.</summary>
    public bool Issues => _mode != Mode.Replay;

    /// <summary>Ends a recording that a failed step left open. Before anything of the next step is issued.</summary>
    public void Recover()
    {
        if (_mode == Mode.Record) stream.AbandonCapture();
        _mode = Mode.Direct;
    }

    /// <param name="shape">Null: the step isn't one that repeats.</param>
    public void Begin(StepShape? shape)
    {
        if (shape is not { } known) return;
        if (_graphs.Count >= MaxGraphs && !_graphs.ContainsKey(known)) Clear();
        _shape = known;
        if (!_graphs.TryGetValue(known, out var graph))
        {
            _graphs.Add(known, null);
            return;
        }
        _mode = graph is null ? Mode.Record : Mode.Replay;
        if (_mode == Mode.Record) stream.BeginCapture();
    }

    /// <summary>Has the step run, in the stream's order.</summary>
    public void End()
    {
        var mode = _mode;
        _mode = Mode.Direct;
        if (mode == Mode.Record) _graphs[_shape] = stream.EndCapture();
        if (mode == Mode.Direct) return;
        var graph = _graphs[_shape]!;
        graph.Launch(stream);
        Nodes = graph.Nodes;
    }

    private void Clear()
    {
        foreach (var graph in _graphs.Values) graph?.Dispose();
        _graphs.Clear();
    }

    public void Dispose() => Clear();
}
