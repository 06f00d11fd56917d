using static LServe.Cuda.Driver.CudaApi;

namespace LServe.Cuda.Driver;

/// <summary>Loaded device code. Its kernels live as long as it does.</summary>
public sealed unsafe class CudaModule : CudaHandle
{
    private CudaModule(nint handle) : base(handle)
    {
    }

    /// <param name="image">A CUBIN or PTX as NVRTC gave it.</param>
    public static CudaModule Load(ReadOnlySpan<byte> image)
    {
        fixed (byte* data = image)
        {
            Check(cuModuleLoadData(out var handle, data));
            return new(handle);
        }
    }

    /// <param name="sharedBytes">Dynamic shared memory a launch may ask for.</param>
    public CudaKernel Kernel(string name, int sharedBytes = 0)
    {
        Check(cuModuleGetFunction(out var function, Value, name), $"cuModuleGetFunction of {name}");
        if (sharedBytes > 0) Check(cuFuncSetAttribute(function, FunctionAttribute.MaxDynamicSharedBytes, sharedBytes));
        return new(this, function, name);
    }

    protected override bool ReleaseHandle() => cuModuleUnload(handle) == 0;
}
