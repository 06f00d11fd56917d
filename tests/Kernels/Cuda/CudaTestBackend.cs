using LServe.Cuda;
using LServe.Cuda.Driver;
using LServe.Cuda.Jit;
using LServe.Cuda.Launch;
using LServe.Cuda.State;
using LServe.Inference;
using LServe.Tests.Kernels.Sparse;

namespace LServe.Tests.Kernels.Cuda;

/// <summary>GPU backends of the tests share a folder of compiled kernels.</summary>
internal static class CudaTestBackend
{
    private static readonly string Folder = Path.Combine(Path.GetTempPath(), $"lserve-kernels-{Environment.ProcessId}");

    /// <summary>For the shapes of the contract's cases, whose kernels compile side by side when the first is opened.</summary>
    public static LServeBackend LServe { get; } = new("cuda", OpenForCases, (b, at) => ((CudaBackend)b).ChosenPages(at.Slice, LServeBed.Layer, at.Head, at.Block), 2e-3)
    {
        Write = (buffer, row, values) => Upload((CudaBuffer)buffer, row, values),
        Read = (buffer, row, kind) => Download((CudaBuffer)buffer, row, transposed: kind == SliceKind.Prefill && buffer.Columns % 32 == 0),
        Supports = (precision, policy) => precision != KvPrecision.F32 && policy != SelectionPolicy.Oracle,
    };

    private static readonly Lazy<bool> Compiled = new(() =>
    {
        var compiler = new KernelCompiler(KernelSources.Embedded, Gpu.Library.Context.Architecture, new(Folder));
        Parallel.ForEach(VariantsOfCases().DistinctBy(v => v.ToString()), variant => compiler.Compile(variant));
        return true;
    });

    public static CudaBackend Open(bool graphs = true) => CudaBackend.Open(new() { Graphs = graphs, KernelCache = Folder });

    /// <summary>Without graphs, which hold addresses, since the bed's activations move from step to step.</summary>
    private static CudaBackend OpenForCases() => Compiled.Value ? Open(graphs: false) : throw new InvalidOperationException();

    internal static IEnumerable<KernelVariant> VariantsOfCases()
    {
        var cases = LServeCase.All.Where(c => c.Text("kind") != "sketch")
            .Select(c => (Dim: c.Shape("k")[2], Group: c.Shape("q")[^2] / c.Shape("k")[1], c.Precision, Bits: c.Options.SketchBits));
        var behaviours = Enum.GetValues<KvPrecision>().Where(p => p != KvPrecision.F32).Select(precision => (Dim: 32, Group: 2, Precision: precision, Bits: 4));
        foreach (var (dim, group, precision, bits) in cases.Concat(behaviours))
        {
            var shape = new AttentionShape(new(dim, Enum.Parse<KvFormat>(precision.ToString())), group);
            yield return AttentionAppend.Variant(shape.Layout);
            yield return AttentionDecode.Variant(shape);
            yield return AttentionPrefill.Variant(shape);
            yield return SelectScore.Variant(shape);
            yield return SelectRefine.Variant(shape, bits);
            yield return SelectPrompt.Variant(shape);
        }
    }

    public static void Upload(CudaBuffer buffer, int row, float[] values)
    {
        using var memory = Gpu.Upload<float>(values);
        using var stream = CudaStream.Create();
        stream.Copy(buffer.Float(row), memory.Address, values.Length * sizeof(float));
        stream.Synchronize();
    }

    public static float[] ReadFloats(CudaBuffer buffer, int row)
    {
        using var memory = Gpu.Poisoned(buffer.Columns * 4);
        Gpu.Stream.Copy(memory.Address, buffer.Float(row), buffer.Columns * 4);
        return Gpu.Download<float>(memory, buffer.Columns);
    }

    private static float[] Download(CudaBuffer buffer, int row, bool transposed)
    {
        using var memory = Gpu.Poisoned(buffer.Columns * 2);
        Gpu.Stream.Copy(memory.Address, buffer.Half(row), buffer.Columns * 2);
        var values = Gpu.Download<Half>(memory, buffer.Columns);
        return Values.ToFloat(transposed ? Values.Transposed<Half>(values) : values);
    }
}
