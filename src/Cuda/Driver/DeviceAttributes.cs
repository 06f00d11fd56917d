namespace LServe.Cuda.Driver;

/// <summary>CUdevice_attribute numbers of the driver API.</summary>
internal static class DeviceAttribute
{
    public const int MultiprocessorCount = 16;
    public const int L2CacheBytes = 38;
    public const int ComputeCapabilityMajor = 75;
    public const int ComputeCapabilityMinor = 76;
    public const int MaxSharedBytesPerBlock = 97;
}

/// <summary>CUfunction_attribute numbers of the driver API.</summary>
internal static class FunctionAttribute
{
    public const int SharedBytes = 1;
    public const int LocalBytes = 3;
    public const int Registers = 4;
    public const int MaxDynamicSharedBytes = 8;
}
