using LServe.Cuda.Driver;

namespace LServe.Tests.Kernels.Cuda;

public class DeviceReportTests
{
    [Fact]
    public void AMachineIsDescribedWithOrWithoutGpu()
    {
        var report = CudaDevices.Describe();
        if (report.DriverVersion is null) Assert.Contains("--backend cpu", report.Problem, StringComparison.Ordinal);
        else Assert.All(report.Devices, device => Assert.NotEmpty(device.Name));
    }
}
