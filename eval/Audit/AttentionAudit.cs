using System.Numerics.Tensors;

namespace LServe.Eval;

/// <summary>Means of what attention lost, over layers, heads and positions.</summary>
internal sealed class AttentionAudit
{
    private readonly Lock _gate = new();
    private double _error, _retrieval, _streaming;
    private int _outputs, _retrievalHeads, _streamingHeads;

    /// <summary>‖served − exact‖ / ‖exact‖ of a layer's output, all heads together; null: nothing was audited.</summary>
    public double? Error => Mean(_error, _outputs);

    /// <summary>Share of the exact softmax that falls on tokens read by retrieval heads.</summary>
    public double? RetrievalMass => Mean(_retrieval, _retrievalHeads);

    /// <summary>Share of the exact softmax that falls on tokens read by all heads.</summary>
    public double? Mass => Mean(_retrieval + _streaming, _retrievalHeads + _streamingHeads);

    public void AddOutput(ReadOnlySpan<float> served, ReadOnlySpan<float> exact)
    {
        _error += TensorPrimitives.Distance(served, exact) / TensorPrimitives.Norm(exact);
        _outputs++;
    }

    /// <summary>Of the query heads of a KV head; from any thread.</summary>
    public void AddMass(bool streams, ReadOnlySpan<float> shares)
    {
        var sum = TensorPrimitives.Sum(shares);
        lock (_gate)
        {
            if (streams) (_streaming, _streamingHeads) = (_streaming + sum, _streamingHeads + shares.Length);
            else (_retrieval, _retrievalHeads) = (_retrieval + sum, _retrievalHeads + shares.Length);
        }
    }

    private static double? Mean(double sum, int count) => count == 0 ? null : sum / count;
}
