using LServe.Cuda.Jit;
using static LServe.Cuda.Driver.CudaApi;

namespace LServe.Cuda.Driver;

/// <summary>One GPU, for people.</summary>
/// <param name="Usable">Whether this project's kernels run on it.</param>
public sealed record CudaDeviceInfo(int Ordinal, string Name, ComputeArchitecture Architecture, long MemoryBytes, int Multiprocessors, bool Usable);

/// <summary>What a machine offers the GPU backend.</summary>
/// <param name="DriverVersion">The newest CUDA the driver supports, such as 13.0; null without a driver.</param>
/// <param name="NvrtcVersion">Null when it isn't found.</param>
/// <param name="CublasLt">The soname found, or null: then products of many rows run on this project's own kernel.</param>
/// <param name="Problem">Why the GPU backend can't be used and what to do about it; null when it can.</param>
public sealed record CudaReport(
    Version? DriverVersion, IReadOnlyList<CudaDeviceInfo> Devices, Version? NvrtcVersion, string? NvrtcPath, string? CublasLt, string? Problem);

/// <summary>Looks for GPUs without needing any.</summary>
public static class CudaDevices
{
    private static readonly string[] CublasLtNames = ["libcublasLt.so.13", "libcublasLt.so.12"];

    public static CudaReport Describe()
    {
        var nvrtc = NvrtcLibrary.Version;
        var cublasLt = CublasLtNames.FirstOrDefault(name => NativeLibraries.FirstOf(name) != 0);
        try
        {
            Initialize();
            Check(cuDriverGetVersion(out var version));
            Check(cuDeviceGetCount(out var count));
            var devices = Enumerable.Range(0, count).Select(Describe).ToArray();
            return new(FromNumber(version), devices, nvrtc, NvrtcLibrary.Path, cublasLt, ProblemWith(devices, nvrtc));
        }
        catch (Exception e) when (e is CudaUnavailableException or CudaException)
        {
            return new(null, [], nvrtc, NvrtcLibrary.Path, cublasLt, e.Message);
        }
    }

    /// <exception cref="CudaUnavailableException">There is no driver.</exception>
    internal static void Initialize()
    {
        if (!NativeLibraries.DriverPresent)
            throw new CudaUnavailableException("No CUDA driver (libcuda.so.1). Install NVIDIA's driver, or use --backend cpu.");
        Check(cuInit(0));
    }

    private static string? ProblemWith(CudaDeviceInfo[] devices, Version? nvrtc)
    {
        if (devices.Length == 0) return "The driver shows no GPU. Use --backend cpu.";
        if (!devices.Any(d => d.Usable)) return $"{devices[0].Name} is {devices[0].Architecture}; kernels need {ComputeArchitecture.Least} or newer. Use --backend cpu.";
        return nvrtc is null ? NvrtcLibrary.MissingMessage : null;
    }

    private static CudaDeviceInfo Describe(int ordinal)
    {
        Check(cuDeviceGet(out var device, ordinal));
        Check(cuDeviceTotalMem_v2(out var bytes, device));
        var architecture = new ComputeArchitecture(
            CudaContext.Attribute(device, DeviceAttribute.ComputeCapabilityMajor), CudaContext.Attribute(device, DeviceAttribute.ComputeCapabilityMinor));
        return new(ordinal, CudaContext.DeviceName(device), architecture, (long)bytes,
            CudaContext.Attribute(device, DeviceAttribute.MultiprocessorCount), architecture.Supported);
    }

    private static Version FromNumber(int version) => new(version / 1000, version % 1000 / 10);
}
