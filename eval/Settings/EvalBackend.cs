using LServe.Cpu;
using LServe.Cuda;
using LServe.Cuda.Driver;
using LServe.Inference;

namespace LServe.Eval;

/// <summary>What computes: the method is one, its arithmetic differs.</summary>
internal static class EvalBackend
{
    public const string Cpu = "cpu", Cuda = "cuda";

    /// <exception cref="CudaUnavailableException">There is no GPU to compute on.</exception>
    public static IBackend Open(EvalOptions options) => options.Backend == Cuda
        ? CudaBackend.Open(new() { KernelCache = Path.Combine(options.Cache, "kernels") })
        : OpenCpu(options);

    /// <summary>One that also tells what attention loses (the CPU's alone).</summary>
    public static IBackend OpenAudited(EvalOptions options, AttentionAudit audit) =>
        options.Backend == Cuda ? Open(options) : new AuditedBackend(OpenCpu(options), OpenCpu(options), audit);

    private static CpuBackend OpenCpu(EvalOptions options) => new(new CpuOptions { Threads = options.Threads });
}
