using System.Runtime.InteropServices;
using LServe.Cuda.Driver;
using LServe.Cuda.Jit;

namespace LServe.Cuda.Launch;

/// <summary>Mirror of the struct in <c>kernels/include/lserve/params.h</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct EmbedParams
{
    public ulong Table, RowScale, Tokens, X;
    public int Columns, Vocabulary;
}

/// <summary>Launches <c>kernels/pointwise/embed.cu</c>.</summary>
internal sealed class Embed(KernelLibrary library) : IKernelFamily
{
    private const int Threads = 256;
    private readonly CudaKernel?[] _kernels = new CudaKernel?[WeightFormats.All.Count];

    public static IReadOnlyList<KernelVariant> Variants { get; } = WeightFormats.All.Select(Variant).ToArray();

    public static KernelVariant Variant(WeightFormat format) => new("pointwise/embed.cu", format.Define());

    public void Launch(CudaStream stream, PackedMatrix table, ulong tokens, ulong x, int rows)
    {
        var kernel = _kernels[(int)table.Format] ??= library.Kernel(Variant(table.Format), "embed");
        kernel.Launch(stream, new(rows, Threads, OverlapPrevious: true), new EmbedParams
        {
            Table = table.Data, RowScale = table.RowScale, Tokens = tokens, X = x, Columns = table.Columns, Vocabulary = table.Rows,
        });
    }
}
