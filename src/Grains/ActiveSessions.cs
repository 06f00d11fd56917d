using System.Collections.Concurrent;

namespace LServe.Grains;

/// <summary>The session grains that are active on this silo. Thread-safe.</summary>
internal sealed class ActiveSessions
{
    private readonly ConcurrentDictionary<SessionGrain, byte> _grains = new(ReferenceEqualityComparer.Instance);
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public IReadOnlyCollection<SessionGrain> Grains => [.. _grains.Keys];

    public void Enter(SessionGrain grain)
    {
        if (_grains.TryAdd(grain, 0)) Interlocked.Increment(ref _count);
    }

    public void Leave(SessionGrain grain)
    {
        if (_grains.TryRemove(grain, out _)) Interlocked.Decrement(ref _count);
    }
}
