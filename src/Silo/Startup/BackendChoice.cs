using LServe.Cpu;
using LServe.Cuda;
using LServe.Cuda.Driver;
using LServe.Cuda.Jit;
using LServe.Inference;

namespace LServe.Silo;

/// <summary>Opens the backend that the options ask for.</summary>
internal static class BackendChoice
{
    /// <summary>Below the data folder: compiled GPU kernels, so that they are compiled once.</summary>
    private const string KernelFolder = "kernels";

    /// <exception cref="StartException">It can't be had on this machine.</exception>
    public static IBackend Create(SiloOptions options) => options.Backend switch
    {
        BackendKind.Reference => new CpuReferenceBackend(options.Threads),
        BackendKind.Cuda => OpenCuda(options),
        BackendKind.Auto when HasGpu() => OpenCuda(options),
        _ => new CpuBackend(new CpuOptions { Threads = options.Threads, Activations = options.Activations }),
    };

    // A machine without a driver isn't told of GPUs; one whose GPU can't be used is told why.
    private static bool HasGpu()
    {
        var report = CudaDevices.Describe();
        if (report is { Problem: { } problem, DriverVersion: not null })
            Console.Error.WriteLine($"lserve serve: computing on the CPU: {problem}");
        return report.Problem is null;
    }

    private static CudaBackend OpenCuda(SiloOptions options)
    {
        try
        {
            return CudaBackend.Open(new() { KernelCache = options.Data is { } folder ? Path.Combine(folder, KernelFolder) : null });
        }
        catch (Exception problem) when (problem is CudaUnavailableException or CudaException or KernelCompilationException)
        {
            throw new StartException($"the GPU can't be used: {problem.Message.ReplaceLineEndings(" ")}", problem);
        }
    }
}
