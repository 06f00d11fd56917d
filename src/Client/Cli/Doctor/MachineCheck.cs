using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using LServe.Cpu;

namespace LServe.Cli.Doctor;

/// <summary>Operating system, cores, memory and vectors.</summary>
internal static class MachineCheck
{
    /// <summary>Bytes the bundled model with its default KV pool takes, with room to spare.</summary>
    private const long LeastMemory = 1L << 30;

    public static IEnumerable<Finding> Look()
    {
        yield return new(Health.Good, "system", $"{RuntimeInformation.OSDescription} ({RuntimeInformation.OSArchitecture}), {RuntimeInformation.FrameworkDescription}");
        yield return new(Health.Good, "cores", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture));
        yield return Memory(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        yield return Vectors();
    }

    internal static Finding Memory(long bytes)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GiB available to this process");
        return bytes >= LeastMemory ? new(Health.Good, "memory", text) : new(Health.Note, "memory", text + "; less than 1 GiB is tight for the bundled model");
    }

    private static Finding Vectors()
    {
        var extras = new List<string>();
        if (Avx512Vbmi2.IsSupported) extras.Add("VBMI2");
        if (AvxVnni.IsSupported) extras.Add("VNNI");
        var text = SimdLevels.Widest + (extras.Count > 0 ? $" with {string.Join(", ", extras)}" : "");
        return Vector256.IsHardwareAccelerated
            ? new(Health.Good, "vectors", text)
            : new(Health.Note, "vectors", text + "; wider vectors would be faster");
    }
}
