using System.Runtime.InteropServices;
using LServe.Cuda.Driver;

namespace LServe.Cuda.Launch;

/// <summary>Mirror of the struct in <c>kernels/include/lserve/params.h</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LinearPrefillParams
{
    public TensorMap XMap;
    public LinearParams Product;
}
