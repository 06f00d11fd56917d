using System.Runtime.InteropServices;

namespace LServe.Cuda.Launch;

/// <summary>Mirror of the struct in <c>kernels/include/lserve/params.h</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LinearDecodeParams
{
    public LinearParams Product;
    public ulong Next, After, NextBytes, AfterBytes;
}
