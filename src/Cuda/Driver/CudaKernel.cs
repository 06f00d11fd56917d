using static LServe.Cuda.Driver.CudaApi;

namespace LServe.Cuda.Driver;

/// <summary>Grid, block and what else a launch needs besides arguments.</summary>
/// <param name="SharedBytes">Dynamic shared memory.</param>
/// <param name="Cluster">Blocks in a row that share their shared memory; 1: none.</param>
/// <param name="OverlapPrevious">
/// The kernel may start before the one ahead of it has ended (programmatic dependent launch). Only for kernels that call
/// <c>wait_for_previous_kernel</c> before they touch what earlier kernels write.
/// </param>
public readonly record struct LaunchShape(
    int GridX, int Threads, int GridY = 1, int GridZ = 1, int SharedBytes = 0, int Cluster = 1, bool OverlapPrevious = false);

/// <summary>An entry point of a module. Takes one argument struct by value.</summary>
public sealed unsafe class CudaKernel
{
    private readonly CudaModule _module;
    private readonly nint _function;

    internal CudaKernel(CudaModule module, nint function, string name) => (_module, _function, Name) = (module, function, name);

    public string Name { get; }

    public int Registers => Attribute(FunctionAttribute.Registers);

    /// <summary>Bytes of local memory a thread needs: more than 0 means spills or indexed register arrays.</summary>
    public int LocalBytes => Attribute(FunctionAttribute.LocalBytes);

    /// <exception cref="CudaException">The launch was refused; errors of the kernel itself show at the next synchronization.</exception>
    public void Launch<T>(CudaStream stream, in LaunchShape shape, in T parameters) where T : unmanaged
    {
        if (_module.IsClosed) throw new ObjectDisposedException(Name);
        var attributes = stackalloc LaunchAttribute[2];
        var config = new LaunchConfig
        {
            GridX = (uint)shape.GridX, GridY = (uint)shape.GridY, GridZ = (uint)shape.GridZ,
            BlockX = (uint)shape.Threads, BlockY = 1, BlockZ = 1,
            SharedBytes = (uint)shape.SharedBytes, Stream = stream.Value, Attributes = attributes,
        };
        if (shape.Cluster > 1) attributes[config.AttributeCount++] = LaunchAttribute.Cluster(shape.Cluster);
        if (shape.OverlapPrevious) attributes[config.AttributeCount++] = LaunchAttribute.OverlapPrevious;
        fixed (T* argument = &parameters)
        {
            void* pointer = argument;
            var code = cuLaunchKernelEx(&config, _function, &pointer, null);
            if (code != 0) Check(code, $"cuLaunchKernelEx of {Name}");
        }
    }

    /// <summary>Blocks of this shape that one multiprocessor holds at a time.</summary>
    public int BlocksPerMultiprocessor(int threads, int sharedBytes)
    {
        Check(cuOccupancyMaxActiveBlocksPerMultiprocessor(out var blocks, _function, threads, (nuint)sharedBytes));
        return blocks;
    }

    private int Attribute(int attribute)
    {
        Check(cuFuncGetAttribute(out var value, attribute, _function));
        return value;
    }
}
