using System.Runtime.InteropServices;
using LServe.Cuda.Driver;

namespace LServe.Cuda.Jit;

/// <summary>Finds NVRTC: in the folders given, by soname, in the toolkit's usual places, beside the program.</summary>
public static class NvrtcLibrary
{
    public const string MissingMessage =
        "NVRTC, which compiles the kernels, is missing (libnvrtc.so.13 or .12). Install it (Debian: libnvrtc12, CUDA: cuda-nvrtc), or run kernels/get-nvrtc.";

    private static readonly string[] Names = ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"];
    private static readonly List<string> Folders =
        [System.IO.Path.Combine(AppContext.BaseDirectory, "nvrtc"), AppContext.BaseDirectory, "/usr/local/cuda/lib64", "/usr/local/cuda/targets/x86_64-linux/lib"];
    private static readonly Lazy<(nint Handle, string? Path)> Found = new(Find);

    /// <summary>0 when it isn't found.</summary>
    internal static nint Handle => Found.Value.Handle;

    /// <summary>What was loaded, or null.</summary>
    public static string? Path => Found.Value.Path;

    /// <summary>Null when it isn't found.</summary>
    public static Version? Version
    {
        get
        {
            if (Handle == 0) return null;
            NvrtcApi.Check(NvrtcApi.nvrtcVersion(out var major, out var minor));
            return new(major, minor);
        }
    }

    /// <summary>Looks into <paramref name="folder"/> before anywhere else; has no effect once NVRTC was looked for.</summary>
    public static void AddFolder(string folder) => Folders.Insert(0, folder);

    private static (nint, string?) Find()
    {
        foreach (var path in Folders.SelectMany(folder => Names.Select(name => System.IO.Path.Combine(folder, name))).Where(File.Exists))
        {
            LoadBuiltins(System.IO.Path.GetDirectoryName(path)!);
            if (NativeLibrary.TryLoad(path, out var handle)) return (handle, path);
        }
        foreach (var name in Names)
            if (NativeLibrary.TryLoad(name, out var handle)) return (handle, name);
        return (0, null);
    }

    /// <summary>NVRTC opens its second library by soname, which a folder outside the loader's path only answers once it is loaded.</summary>
    private static void LoadBuiltins(string folder)
    {
        foreach (var path in Directory.EnumerateFiles(folder, "libnvrtc-builtins.so.*"))
            if (NativeLibrary.TryLoad(path, out _)) return;
    }

}
