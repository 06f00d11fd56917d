namespace LServe.Cpu;

/// <summary>How a <see cref="CpuBackend"/> computes.</summary>
public sealed record CpuOptions
{
    /// <summary>Threads, the engine's own among them. 0 (default): one per core the process may use.</summary>
    public int Threads { get; init; }

    /// <summary>Vector width. Null (default): the widest of the machine.</summary>
    public SimdLevel? Level { get; init; }

    /// <summary>What matrix products read their inputs as; either gives bits of its own.</summary>
    public Activations Activations { get; init; }
}
