using LServe.Cuda.Launch;
using LServe.Inference;
using LServe.Model;

namespace LServe.Cuda.State;

/// <summary>A matrix on the device: parts of one weight format each, one below the other.</summary>
internal sealed class CudaMatrix : IDeviceWeight
{
    public CudaMatrix(PackedMatrix[] parts) => (Parts, Rows, Columns) = (parts, parts.Sum(p => p.Rows), parts[0].Columns);

    public PackedMatrix[] Parts { get; }
    public int Rows { get; }
    public int Columns { get; }

    public static CudaMatrix Load(ReadOnlySpan<Tensor> parts, ReadOnlySpan<Tensor?> biases)
    {
        var packed = new List<PackedMatrix>();
        for (var first = 0; first < parts.Length;)
        {
            var end = first + 1;
            while (end < parts.Length && WeightFormats.Of(parts[end].Type) == WeightFormats.Of(parts[first].Type)) end++;
            packed.Add(PackedMatrix.Load(parts[first..end], BiasOf(parts[first..end], biases.IsEmpty ? [] : biases[first..end])));
            first = end;
        }
        return new([.. packed]);
    }

    private static float[]? BiasOf(ReadOnlySpan<Tensor> parts, ReadOnlySpan<Tensor?> biases)
    {
        var any = false;
        foreach (var bias in biases) any |= bias is not null;
        if (!any) return null;
        var values = new List<float>();
        for (var i = 0; i < parts.Length; i++) values.AddRange(biases[i] is { } bias ? CudaVector.Values(bias) : new float[parts[i].Rows]);
        return [.. values];
    }

    public void Dispose()
    {
        foreach (var part in Parts) part.Dispose();
    }
}
