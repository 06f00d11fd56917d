namespace LServe.Cpu;

/// <summary>One operation cut into units that may run in any order and at the same time. Kept and reused, so that a dispatch allocates nothing.</summary>
public abstract class ParallelWork
{
    /// <param name="unit">0 … units − 1, each once.</param>
    /// <param name="thread">Who runs it, 0 … threads − 1: an index into per-thread scratch.</param>
    public abstract void Execute(int unit, int thread);
}
