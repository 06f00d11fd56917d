using LServe.Cuda.Launch;
using LServe.Cuda.State;

namespace LServe.Cuda;

/// <summary>
/// Learns from a step in which order products follow each other, so that in later ones the product before attention, while which memory is
/// nearly idle, can have the first weights behind it brought into L2.
/// </summary>
/// <param name="bytes">Most that are asked for at a time.</param>
internal sealed class WeightSequence(long bytes)
{
    private readonly Dictionary<CudaMatrix, (CudaMatrix Next, bool Attends)> _next = [];
    private CudaMatrix? _last;
    private bool _attended;

    public void Begin() => _last = null;

    /// <summary>Attention was issued.</summary>
    public void Attend() => _attended = true;

    /// <summary>A product is about to be issued.</summary>
    public WeightsAhead Ahead(CudaMatrix w)
    {
        if (_last is { } last) _next.TryAdd(last, (w, _attended));
        (_last, _attended) = (w, false);
        if (!_next.TryGetValue(w, out var behind) || !behind.Attends) return default;
        var next = behind.Next.Parts[0];
        var nextBytes = Math.Min(next.Bytes, bytes);
        if (nextBytes == bytes || !_next.TryGetValue(behind.Next, out var then)) return new(next.Data, nextBytes, 0, 0);
        var after = then.Next.Parts[0];
        return new(next.Data, nextBytes, after.Data, Math.Min(after.Bytes, bytes - nextBytes));
    }
}
