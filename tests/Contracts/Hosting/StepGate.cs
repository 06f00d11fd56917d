namespace LServe.Tests.Contracts;

/// <summary>Lets a test decide when the engine steps. Open unless closed.</summary>
public sealed class StepGate
{
    private readonly object _lock = new();
    private int? _allowed;
    private bool _failsNext;

    /// <summary>Stops the engines before their next step, until the result is disposed of.</summary>
    public IDisposable Close()
    {
        lock (_lock) _allowed = 0;
        return new Closed(this);
    }

    /// <summary>Lets a closed gate pass this many steps.</summary>
    public void Allow(int steps)
    {
        lock (_lock)
        {
            _allowed += steps;
            Monitor.PulseAll(_lock);
        }
    }

    public void Open()
    {
        lock (_lock)
        {
            _allowed = null;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>The next step that comes through fails.</summary>
    public void FailNext()
    {
        lock (_lock) _failsNext = true;
    }

    /// <summary>Called by the engine's thread before each step.</summary>
    public void Pass()
    {
        lock (_lock)
        {
            while (_allowed == 0) Monitor.Wait(_lock);
            _allowed--;
            if (!_failsNext) return;
            _failsNext = false;
            throw new IOException("The device went away.");
        }
    }

    private sealed class Closed(StepGate gate) : IDisposable
    {
        public void Dispose() => gate.Open();
    }
}
