using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LServe.Cuda.Driver;

namespace LServe.Cuda.Jit;

/// <summary>The functions of NVRTC this project calls. Every call but the compilation itself goes through <see cref="Check"/>.</summary>
internal static unsafe partial class NvrtcApi
{
    private const string Library = NativeLibraries.Nvrtc;

    static NvrtcApi() => NativeLibraries.Register();

    /// <exception cref="KernelCompilationException"><paramref name="code"/> isn't success.</exception>
    public static void Check(int code, [CallerArgumentExpression(nameof(code))] string call = "")
    {
        if (code != 0) throw new KernelCompilationException($"{call}: {Text(code)} ({code})", "");
    }

    public static string Text(int code) => Marshal.PtrToStringUTF8((nint)nvrtcGetErrorString(code)) ?? "unknown error";

    [LibraryImport(Library)] private static partial byte* nvrtcGetErrorString(int code);
    [LibraryImport(Library)] public static partial int nvrtcVersion(out int major, out int minor);
    [LibraryImport(Library)] public static partial int nvrtcCreateProgram(out nint program, byte* source, byte* name, int headers, byte** sources, byte** names);
    [LibraryImport(Library)] public static partial int nvrtcDestroyProgram(ref nint program);
    [LibraryImport(Library)] public static partial int nvrtcCompileProgram(nint program, int count, byte** options);
    [LibraryImport(Library)] public static partial int nvrtcGetCUBINSize(nint program, out nuint bytes);
    [LibraryImport(Library)] public static partial int nvrtcGetCUBIN(nint program, byte* image);
    [LibraryImport(Library)] public static partial int nvrtcGetProgramLogSize(nint program, out nuint bytes);
    [LibraryImport(Library)] public static partial int nvrtcGetProgramLog(nint program, byte* log);
}
