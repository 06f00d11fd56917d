using System.Reflection;
using LServe.Cuda.Jit;

namespace LServe.Tests.Kernels.Cuda;

/// <summary>Where these tests find NVRTC: installed, or unpacked by <c>kernels/get-nvrtc</c> under the repository's artifacts folder.</summary>
internal static class Nvrtc
{
    private static readonly Lazy<string?> Problem = new(() =>
    {
        if (RepositoryFolder() is { } root && Unpacked(root) is { } folder) NvrtcLibrary.AddFolder(folder);
        return NvrtcLibrary.Version is null ? "NVRTC isn't on this machine; run kernels/get-nvrtc" : null;
    });

    /// <summary>Null when kernels compile here.</summary>
    public static string? WhyMissing => Problem.Value;

    /// <summary>Every variant any launcher may ask for.</summary>
    public static IReadOnlyList<KernelVariant> AllVariants { get; } = typeof(KernelVariant).Assembly.GetTypes()
        .Where(type => type.GetInterface("LServe.Cuda.Launch.IKernelFamily") is not null && !type.IsInterface)
        .SelectMany(type => (IReadOnlyList<KernelVariant>)type.GetProperty("Variants", BindingFlags.Static | BindingFlags.Public)!.GetValue(null)!)
        .ToArray();

    private static string? RepositoryFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "LServe.Orleans.sln"))) return folder.FullName;
        return null;
    }

    private static string? Unpacked(string root)
    {
        var cache = Path.Combine(root, "artifacts", "nvrtc");
        if (!Directory.Exists(cache)) return null;
        return Directory.EnumerateFiles(cache, "libnvrtc.so.*", SearchOption.AllDirectories).Select(Path.GetDirectoryName).FirstOrDefault();
    }
}

/// <summary>A test that compiles kernels; skipped, with the reason, where NVRTC is missing.</summary>
internal sealed class NvrtcFactAttribute : FactAttribute
{
    public NvrtcFactAttribute() => Skip = Nvrtc.WhyMissing;
}

/// <inheritdoc cref="NvrtcFactAttribute"/>
internal sealed class NvrtcTheoryAttribute : TheoryAttribute
{
    public NvrtcTheoryAttribute() => Skip = Nvrtc.WhyMissing;
}
