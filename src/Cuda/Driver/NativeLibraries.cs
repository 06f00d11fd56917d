using System.Reflection;
using System.Runtime.InteropServices;
using LServe.Cuda.Jit;

namespace LServe.Cuda.Driver;

/// <summary>Resolves the names in <c>LibraryImport</c> to whatever soname is present, at the first call and not before.</summary>
internal static class NativeLibraries
{
    public const string Driver = "cuda-driver";
    public const string Nvrtc = "cuda-nvrtc";

    private static readonly Lazy<nint> DriverHandle = new(() => FirstOf("libcuda.so.1", "libcuda.so", "nvcuda.dll"));
    private static int _registered;

    public static bool DriverPresent => DriverHandle.Value != 0;

    /// <summary>Idempotent; called by the static constructors of the binding classes.</summary>
    public static void Register()
    {
        if (Interlocked.Exchange(ref _registered, 1) == 0)
            NativeLibrary.SetDllImportResolver(typeof(NativeLibraries).Assembly, Resolve);
    }

    /// <summary>The handle of the first library that loads, or 0.</summary>
    public static nint FirstOf(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            if (NativeLibrary.TryLoad(name, out var handle)) return handle;
        return 0;
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name switch
    {
        Driver => DriverHandle.Value,
        Nvrtc => NvrtcLibrary.Handle,
        _ => 0,
    };
}
