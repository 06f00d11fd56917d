using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LServe.Cuda.Driver;

/// <summary>The functions of libcuda this project calls. Every call goes through <see cref="Check"/>.</summary>
internal static unsafe partial class CudaApi
{
    private const string Library = NativeLibraries.Driver;

    static CudaApi() => NativeLibraries.Register();

    /// <exception cref="CudaException"><paramref name="code"/> isn't success.</exception>
    public static void Check(int code, [CallerArgumentExpression(nameof(code))] string call = "")
    {
        if (code != 0) throw Failure(code, call);
    }

    private static CudaException Failure(int code, string call)
    {
        byte* name = null, text = null;
        _ = cuGetErrorName(code, &name);
        _ = cuGetErrorString(code, &text);
        var function = call.IndexOf('(') is var end and >= 0 ? call[..end] : call;
        return new(function, code, Marshal.PtrToStringUTF8((nint)name) ?? "unknown error", Marshal.PtrToStringUTF8((nint)text) ?? "no description");
    }

    [LibraryImport(Library)] private static partial int cuGetErrorName(int code, byte** name);
    [LibraryImport(Library)] private static partial int cuGetErrorString(int code, byte** text);

    [LibraryImport(Library)] public static partial int cuInit(uint flags);
    [LibraryImport(Library)] public static partial int cuDriverGetVersion(out int version);
    [LibraryImport(Library)] public static partial int cuDeviceGetCount(out int count);
    [LibraryImport(Library)] public static partial int cuDeviceGet(out int device, int ordinal);
    [LibraryImport(Library)] public static partial int cuDeviceGetName(byte* name, int length, int device);
    [LibraryImport(Library)] public static partial int cuDeviceGetAttribute(out int value, int attribute, int device);
    [LibraryImport(Library)] public static partial int cuDeviceTotalMem_v2(out nuint bytes, int device);

    [LibraryImport(Library)] public static partial int cuDevicePrimaryCtxRetain(out nint context, int device);
    [LibraryImport(Library)] public static partial int cuDevicePrimaryCtxRelease_v2(int device);
    [LibraryImport(Library)] public static partial int cuCtxSetCurrent(nint context);
    [LibraryImport(Library)] public static partial int cuCtxSynchronize();

    [LibraryImport(Library)] public static partial int cuMemGetInfo_v2(out nuint free, out nuint total);
    [LibraryImport(Library)] public static partial int cuMemAlloc_v2(out ulong address, nuint bytes);
    [LibraryImport(Library)] public static partial int cuMemFree_v2(ulong address);
    [LibraryImport(Library)] public static partial int cuMemHostAlloc(out nint address, nuint bytes, uint flags);
    [LibraryImport(Library)] public static partial int cuMemFreeHost(nint address);
    [LibraryImport(Library)] public static partial int cuMemcpyHtoDAsync_v2(ulong to, void* from, nuint bytes, nint stream);
    [LibraryImport(Library)] public static partial int cuMemcpyDtoHAsync_v2(void* to, ulong from, nuint bytes, nint stream);
    [LibraryImport(Library)] public static partial int cuMemcpyDtoDAsync_v2(ulong to, ulong from, nuint bytes, nint stream);
    [LibraryImport(Library)] public static partial int cuMemcpyHtoD_v2(ulong to, void* from, nuint bytes);
    [LibraryImport(Library)] public static partial int cuMemcpyDtoH_v2(void* to, ulong from, nuint bytes);
    [LibraryImport(Library)] public static partial int cuMemsetD8Async(ulong address, byte value, nuint bytes, nint stream);

    [LibraryImport(Library)] public static partial int cuTensorMapEncodeTiled(
        TensorMap* map, int type, uint rank, ulong address, ulong* size, ulong* strides, uint* box, uint* steps, int interleave, int swizzle, int promotion, int outside);

    [LibraryImport(Library)] public static partial int cuModuleLoadData(out nint module, void* image);
    [LibraryImport(Library)] public static partial int cuModuleUnload(nint module);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] public static partial int cuModuleGetFunction(out nint function, nint module, string name);
    [LibraryImport(Library)] public static partial int cuFuncSetAttribute(nint function, int attribute, int value);
    [LibraryImport(Library)] public static partial int cuFuncGetAttribute(out int value, int attribute, nint function);
    [LibraryImport(Library)] public static partial int cuOccupancyMaxActiveBlocksPerMultiprocessor(out int blocks, nint function, int threads, nuint sharedBytes);
    [LibraryImport(Library)] public static partial int cuLaunchKernelEx(LaunchConfig* config, nint function, void** parameters, void** extra);

    [LibraryImport(Library)] public static partial int cuStreamCreate(out nint stream, uint flags);
    [LibraryImport(Library)] public static partial int cuStreamDestroy_v2(nint stream);
    [LibraryImport(Library)] public static partial int cuStreamSynchronize(nint stream);
    [LibraryImport(Library)] public static partial int cuStreamQuery(nint stream);
    [LibraryImport(Library)] public static partial int cuStreamWaitEvent(nint stream, nint @event, uint flags);
    [LibraryImport(Library)] public static partial int cuStreamBeginCapture_v2(nint stream, int mode);
    [LibraryImport(Library)] public static partial int cuStreamEndCapture(nint stream, out nint graph);

    [LibraryImport(Library)] public static partial int cuEventCreate(out nint @event, uint flags);
    [LibraryImport(Library)] public static partial int cuEventDestroy_v2(nint @event);
    [LibraryImport(Library)] public static partial int cuEventRecord(nint @event, nint stream);
    [LibraryImport(Library)] public static partial int cuEventSynchronize(nint @event);
    [LibraryImport(Library)] public static partial int cuEventQuery(nint @event);
    [LibraryImport(Library)] public static partial int cuEventElapsedTime(out float milliseconds, nint start, nint end);

    [LibraryImport(Library)] public static partial int cuGraphInstantiateWithFlags(out nint executable, nint graph, ulong flags);
    [LibraryImport(Library)] public static partial int cuGraphGetNodes(nint graph, nint* nodes, ref nuint count);
    [LibraryImport(Library)] public static partial int cuGraphDestroy(nint graph);
    [LibraryImport(Library)] public static partial int cuGraphExecDestroy(nint executable);
    [LibraryImport(Library)] public static partial int cuGraphLaunch(nint executable, nint stream);
    [LibraryImport(Library)] public static partial int cuGraphUpload(nint executable, nint stream);

    /// <summary>CUlaunchConfig.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct LaunchConfig
    {
        public uint GridX, GridY, GridZ, BlockX, BlockY, BlockZ, SharedBytes;
        public nint Stream;
        public LaunchAttribute* Attributes;
        public uint AttributeCount;
    }

    /// <summary>CUlaunchAttribute: an id, padding to 8, 64 bytes of value.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 72)]
    public struct LaunchAttribute
    {
        public int Id;
        private int _padding;
        public uint Value0, Value1, Value2;

        public static LaunchAttribute Cluster(int x) => new() { Id = 4, Value0 = (uint)x, Value1 = 1, Value2 = 1 };
        public static LaunchAttribute OverlapPrevious => new() { Id = 6, Value0 = 1 };
    }
}
