using LServe.Cuda.Driver;
using LServe.Cuda.Jit;
using LServe.Cuda.Launch;

namespace LServe.Cuda;

/// <summary>The launchers a backend uses.</summary>
internal sealed class CudaKernels(KernelLibrary library)
{
    public Embed Embed { get; } = new(library);
    public RmsNorm RmsNorm { get; } = new(library);
    public LinearDecode Decode { get; } = new(library);
    public LinearPrefill Prefill { get; } = new(library);
    public SiluMul SiluMul { get; } = new(library);

    /// <summary>What every model needs, whatever its weights.</summary>
    public static IEnumerable<KernelVariant> Common =>
        [.. RmsNorm.Variants, .. AttentionPlan.Variants, .. SiluMul.Variants];

    /// <summary>What weights of a format need.</summary>
    public static IEnumerable<KernelVariant> Of(WeightFormat format) =>
        [Embed.Variant(format), .. LinearPrefill.VariantsOf(format), .. LinearDecode.VariantsOf(format)];
}
