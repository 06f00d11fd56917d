using LServe.Cpu;

namespace LServe.Tests.Kernels.Sparse;

/// <summary>The vector backend at every width of this machine.</summary>
internal static class LServeSimdBackends
{
    public static IEnumerable<LServeBackend> All { get; } =
        [.. Enum.GetValues<SimdLevel>().Where(level => level >= SimdLevels.Widest).Select(Of)];

    private static LServeBackend Of(SimdLevel level) => new(
        level.ToString(), () => new CpuBackend(new() { Level = level, Threads = 2 }), (b, at) => ((CpuBackend)b).ChosenPages(at.Slice, at.Head, at.Block), 2e-3);
}

/// <inheritdoc/>
public sealed class LServeSimdCaseTests : LServeCaseTests
{
    internal override IEnumerable<LServeBackend> Backends => LServeSimdBackends.All;
}

/// <inheritdoc/>
public sealed class LServeSimdBehaviourTests : LServeBehaviourTests
{
    internal override IEnumerable<LServeBackend> Backends => LServeSimdBackends.All;
}

/// <inheritdoc/>
public sealed class LServeSimdDefectTests : LServeDefectTests
{
    internal override IEnumerable<LServeBackend> Backends => LServeSimdBackends.All;
}
