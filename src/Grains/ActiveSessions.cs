namespace LServe.Grains;

/// <summary>How many session grains are active on this silo.</summary>
internal sealed class ActiveSessions
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public void Enter() => Interlocked.Increment(ref _count);

    public void Leave() => Interlocked.Decrement(ref _count);
}
