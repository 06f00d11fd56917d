using LServe.Cuda.Jit;

namespace LServe.Cuda.Launch;

/// <summary>The launcher of one <c>.cu</c> file. Names every variant it may ask for, so that all compile ahead and in tests.</summary>
internal interface IKernelFamily
{
    static abstract IReadOnlyList<KernelVariant> Variants { get; }
}
