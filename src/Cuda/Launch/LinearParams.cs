using System.Runtime.InteropServices;

namespace LServe.Cuda.Launch;

/// <summary>Mirror of the struct in <c>kernels/include/lserve/params.h</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LinearParams
{
    public ulong Weight, X, Y, Bias, RowScale;
    public int Outputs, Columns, Rows, YStride, Add, Stages;

    /// <param name="x">[rows, w.Columns] binary16.</param>
    /// <param name="y">[rows, stride] float32, at the matrix's first output.</param>
    public LinearParams(PackedMatrix w, ulong x, ulong y, int rows, int stride, bool add)
    {
        (Weight, X, Y, Bias, RowScale) = (w.Data, x, y, w.Bias, w.RowScale);
        (Outputs, Columns, Rows, YStride, Add) = (w.Rows, w.Columns, rows, stride, add ? 1 : 0);
    }
}
