using LServe.Cuda.Driver;

namespace LServe.Bench.Kernels;

/// <param name="Microseconds">Of one call: median over replays.</param>
/// <param name="Spread">(Slowest − fastest replay) ÷ median.</param>
internal readonly record struct Timing(double Microseconds, double Spread);

/// <summary>Times calls by replays of one captured graph of about 20 ms, warmed up, so that neither launches nor compilation count.</summary>
internal sealed class GraphTimer(CudaStream stream) : IDisposable
{
    private const double GraphMicroseconds = 10_000;
    private const int MaxCalls = 1000, Replays = 7;

    private readonly CudaEvent _start = CudaEvent.Create(timing: true), _end = CudaEvent.Create(timing: true);

    /// <param name="variants">How many sets of buffers there are: together beyond the L2 cache, so that none is warm.</param>
    /// <param name="call">Issues one call over the set of the given number.</param>
    public Timing Time(int variants, Action<int> call)
    {
        for (var i = 0; i < variants; i++) call(i);
        var estimate = Replay(() => { for (var i = 0; i < variants; i++) call(i); }) / variants;
        var calls = Math.Max(variants, (int)Math.Min(GraphMicroseconds / estimate, MaxCalls) / variants * variants);
        using var graph = stream.Capture(() => { for (var i = 0; i < calls; i++) call(i % variants); });
        graph.Launch(stream);
        var times = new double[Replays];
        for (var r = 0; r < Replays; r++) times[r] = Replay(() => graph.Launch(stream)) / calls;
        Array.Sort(times);
        return new(times[Replays / 2], (times[^1] - times[0]) / times[Replays / 2]);
    }

    private double Replay(Action work)
    {
        stream.Synchronize();
        _start.Record(stream);
        work();
        _end.Record(stream);
        _end.Synchronize();
        return _start.MillisecondsTo(_end) * 1000.0;
    }

    public void Dispose()
    {
        _start.Dispose();
        _end.Dispose();
    }
}
