using System.Runtime.InteropServices;

namespace LServe.Inference;

/// <summary>
/// The pages of one sequence, in order of position: page i of <see cref="Retrieval"/> holds tokens 64·i … 64·i + 63 in every layer.
/// Streaming heads get a table of their own here (LServe, section 3.2); while no head streams, all heads use this one.
/// Owned by its sequence; changed by the step loop alone, between steps.
/// </summary>
public sealed class TwoWayPageTable
{
    private readonly List<int> _retrieval = [];

    public ReadOnlySpan<int> Retrieval => CollectionsMarshal.AsSpan(_retrieval);

    /// <summary>Tokens the table has room for.</summary>
    public int Capacity => _retrieval.Count * KvGeometry.PageTokens;

    public void Add(int page) => _retrieval.Add(page);

    /// <summary>Takes the last page off the table.</summary>
    public int RemoveLast()
    {
        var page = _retrieval[^1];
        _retrieval.RemoveAt(_retrieval.Count - 1);
        return page;
    }
}
