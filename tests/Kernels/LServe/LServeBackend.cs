using LServe.Cpu;
using LServe.Inference;

namespace LServe.Tests.Kernels.Sparse;

/// <summary>A backend under test.</summary>
/// <param name="Chosen">The pages that a slice, a KV head and a query block of the slice read after Select.</param>
/// <param name="Tolerance">Norm of an output's difference ÷ norm.</param>
internal sealed record LServeBackend(string Name, Func<IBackend> Create, Func<IBackend, (int Slice, int Head, int Block), int[]> Chosen, double Tolerance)
{
    /// <summary>Writes a row of float32 activations.</summary>
    public Action<IDeviceBuffer, int, float[]> Write { get; init; } = (buffer, row, values) => values.CopyTo(((HostBuffer)buffer).Values(row));

    /// <summary>Reads a row of attention's output, which is a prompt's or one that decodes.</summary>
    public Func<IDeviceBuffer, int, SliceKind, float[]> Read { get; init; } = (buffer, row, _) => ((HostBuffer)buffer).Values(row).ToArray();

    /// <summary>What it can be asked for; all of it unless said.</summary>
    public Func<KvPrecision, SelectionPolicy, bool> Supports { get; init; } = (_, _) => true;

    public static LServeBackend Reference { get; } =
        new("reference", () => new CpuReferenceBackend(threads: 2), (b, at) => ((CpuReferenceBackend)b).ChosenPages(at.Slice, at.Head, at.Block), 1e-5);

    public override string ToString() => Name;
}
