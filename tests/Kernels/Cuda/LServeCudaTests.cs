using LServe.Tests.Kernels.Cuda;

namespace LServe.Tests.Kernels.Sparse;

/// <summary>The GPU backend, where there is a GPU; without one these tests find no backend and say nothing.</summary>
public sealed class LServeCudaCaseTests : LServeCaseTests
{
    internal override IEnumerable<LServeBackend> Backends => Gpu.WhyMissing is null ? [CudaTestBackend.LServe] : [];
}

/// <inheritdoc cref="LServeCudaCaseTests"/>
public sealed class LServeCudaBehaviourTests : LServeBehaviourTests
{
    internal override IEnumerable<LServeBackend> Backends => Gpu.WhyMissing is null ? [CudaTestBackend.LServe] : [];
}

/// <inheritdoc cref="LServeCudaCaseTests"/>
public sealed class LServeCudaDefectTests : LServeDefectTests
{
    internal override IEnumerable<LServeBackend> Backends => Gpu.WhyMissing is null ? [CudaTestBackend.LServe] : [];
}
