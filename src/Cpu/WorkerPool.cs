using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace LServe.Cpu;

/// <summary>
/// Threads that share the units of one operation after another. Made for operations of microseconds: workers spin between them, and
/// park when none came for about <see cref="SpinsBeforePark"/> pauses. Whoever is late or descheduled is not waited for, as units are
/// claimed one by one and only claimed ones hold up the caller. One caller at a time.
/// </summary>
public sealed class WorkerPool : IDisposable
{
    /// <summary>Pauses of roughly 40 ns: longer than the gap between two operations, shorter than anybody notices as load.</summary>
    private const int SpinsBeforePark = 3000;

    /// <summary>Pauses the caller waits before it offers its core to a descheduled worker.</summary>
    private const int SpinsBeforeYield = 500;

    /// <summary>What all threads write, each on a cache line of its own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Shared
    {
        /// <summary>Operation number in the high half, units not yet claimed in the low one: a claim can't hit a later operation by mistake.</summary>
        [FieldOffset(64)] public long State;
        [FieldOffset(128)] public int Unfinished;
        [FieldOffset(192)] public int Parked;
    }

    private readonly Thread[] _workers;
    private readonly object _gate = new();
    private Shared _shared;
    private ParallelWork? _work;
    private int _units;
    private Exception? _error;
    private volatile bool _stop;

    /// <param name="threads">Threads including the caller; 0: one per core the process may use.</param>
    public WorkerPool(int threads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        Threads = threads == 0 ? Environment.ProcessorCount : threads;
        _workers = new Thread[Threads - 1];
        for (var i = 0; i < _workers.Length; i++)
        {
            var index = i + 1;
            _workers[i] = new Thread(() => Work(index)) { IsBackground = true, Name = $"cpu worker {index}" };
            _workers[i].Start();
        }
    }

    /// <summary>Threads that run units, the caller among them.</summary>
    public int Threads { get; }

    /// <summary>Workers that wait for work without using a core.</summary>
    public int Parked => Volatile.Read(ref _shared.Parked);

    /// <summary>Runs all units of <paramref name="work"/>; returns when they are done. What a unit throws, this throws.</summary>
    public void Run(ParallelWork work, int units)
    {
        if (units <= 1 || Threads == 1)
        {
            for (var unit = 0; unit < units; unit++) work.Execute(unit, 0);
            return;
        }
        (_work, _units) = (work, units);
        Volatile.Write(ref _shared.Unfinished, units);
        var operation = (_shared.State >> 32) + 1;
        Interlocked.Exchange(ref _shared.State, (operation << 32) | (uint)units);
        if (Volatile.Read(ref _shared.Parked) > 0) Wake();
        Drain(0);
        WaitForTheOthers();
        if (_error is not null) ExceptionDispatchInfo.Throw(Interlocked.Exchange(ref _error, null)!);
    }

    private void WaitForTheOthers()
    {
        for (var spins = 0; Volatile.Read(ref _shared.Unfinished) != 0; spins++)
            if (spins < SpinsBeforeYield) Thread.SpinWait(1);
            else Thread.Yield();
    }

    private void Work(int thread)
    {
        while (!_stop)
        {
            if (!Drain(thread)) Idle();
        }
    }

    /// <summary>Runs units until none is left to claim. False: there was none.</summary>
    private bool Drain(int thread)
    {
        var any = false;
        while (Claim(out var left))
        {
            any = true;
            try
            {
                _work!.Execute(_units - left, thread);
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref _error, e, null);
            }
            Interlocked.Decrement(ref _shared.Unfinished);
        }
        return any;
    }

    private bool Claim(out int left)
    {
        while (true)
        {
            var state = Volatile.Read(ref _shared.State);
            left = (int)state;
            if (left == 0) return false;
            if (Interlocked.CompareExchange(ref _shared.State, state - 1, state) == state) return true;
        }
    }

    private bool HasWork => (int)Volatile.Read(ref _shared.State) != 0;

    private void Idle()
    {
        for (var spins = 0; spins < SpinsBeforePark; spins++)
        {
            if (HasWork || _stop) return;
            Thread.SpinWait(1);
        }
        lock (_gate)
        {
            Interlocked.Increment(ref _shared.Parked);
            while (!HasWork && !_stop) Monitor.Wait(_gate);
            Interlocked.Decrement(ref _shared.Parked);
        }
    }

    private void Wake()
    {
        lock (_gate) Monitor.PulseAll(_gate);
    }

    /// <summary>Ends and joins the workers.</summary>
    public void Dispose()
    {
        _stop = true;
        Wake();
        foreach (var worker in _workers) worker.Join();
    }
}
