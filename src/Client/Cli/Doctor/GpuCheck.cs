using System.Globalization;
using LServe.Cuda.Driver;

namespace LServe.Cli.Doctor;

/// <summary>GPUs of this machine, and whether the kernel compiler is there.</summary>
internal static class GpuCheck
{
    public static IEnumerable<Finding> Look()
    {
        var report = CudaDevices.Describe();
        foreach (var device in report.Devices)
            yield return new(device.Usable ? Health.Good : Health.Note, "GPU", string.Create(CultureInfo.InvariantCulture,
                $"{device.Name}, {device.Architecture}, {device.MemoryBytes / (double)(1L << 30):0.0} GiB, driver for CUDA {report.DriverVersion}"));
        if (report.Problem is { } problem) yield return new(Health.Note, "GPU", $"not used: {problem}");
        yield return report.NvrtcVersion is { } version
            ? new(Health.Good, "NVRTC", $"{version}, {report.NvrtcPath}")
            : new(Health.Note, "NVRTC", "not found: kernels can't be compiled here; the CPU backend doesn't need it");
    }
}
