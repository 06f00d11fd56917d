using System.Runtime.InteropServices;

namespace LServe.Inference;

/// <summary>
/// The pages of one sequence, by position: page i holds tokens 64·i … 64·i + 63. Retrieval heads keep all pages. Streaming heads (LServe,
/// arXiv 2502.14866, section 3.2) keep sink pages and a window that slides: pages that fell out of it are given back, never overwritten,
/// so that a full page is immutable and may be shared or saved. Without streaming heads the streaming table stays empty.
/// Owned by its sequence; changed by the step loop alone, between steps.
/// </summary>
public sealed class TwoWayPageTable
{
    private readonly List<int> _retrieval = [], _streaming = [];
    private int _sinkPages;

    public ReadOnlySpan<int> Retrieval => CollectionsMarshal.AsSpan(_retrieval);

    /// <summary>What is held of the streaming pool: sink pages, then the window's.</summary>
    public ReadOnlySpan<int> HeldStreaming => CollectionsMarshal.AsSpan(_streaming);

    /// <summary>Pages between the sink and the window that were given back.</summary>
    public int Dropped { get; private set; }

    /// <summary>Tokens the retrieval table has room for.</summary>
    public int Capacity => _retrieval.Count * KvGeometry.PageTokens;

    /// <summary>Tokens the streaming table reaches to.</summary>
    public int StreamingCapacity => (_streaming.Count + Dropped) * KvGeometry.PageTokens;

    /// <summary>Whether no page is held.</summary>
    public bool IsEmpty => _retrieval.Count == 0 && _streaming.Count == 0;

    /// <summary>The streaming pool's page for page <paramref name="index"/> of the sequence.</summary>
    /// <exception cref="InvalidOperationException">The page was given back.</exception>
    public int Streaming(int index)
    {
        if (index < _sinkPages || Dropped == 0) return _streaming[index];
        if (index < _sinkPages + Dropped) throw new InvalidOperationException($"Page {index} has slid out of the window.");
        return _streaming[index - Dropped];
    }

    /// <summary>First page of the window: every page from here on is held.</summary>
    public int WindowStart => Dropped == 0 ? 0 : _sinkPages + Dropped;

    /// <summary>The table of the first <paramref name="cached"/> tokens.</summary>
    public KvShape ShapeAt(int cached) => new(cached, Dropped == 0 ? 0 : _sinkPages, Dropped);

    public void Add(int page) => _retrieval.Add(page);

    public void AddStreaming(int page) => _streaming.Add(page);

    /// <summary>Takes the last page off the retrieval table.</summary>
    public int RemoveLast() => RemoveLast(_retrieval);

    /// <summary>Takes the last page off the streaming table.</summary>
    public int RemoveLastStreaming()
    {
        var page = RemoveLast(_streaming);
        if (_streaming.Count <= _sinkPages) (Dropped, _sinkPages) = (0, 0);
        return page;
    }

    /// <summary>Takes the next page that lies between the sink and <paramref name="windowStart"/> off the streaming table; false when none does.</summary>
    public bool TrySlide(int sinkPages, int windowStart, out int page)
    {
        page = -1;
        if (sinkPages + Dropped >= windowStart || _streaming.Count <= sinkPages) return false;
        _sinkPages = sinkPages;
        page = _streaming[sinkPages];
        _streaming.RemoveAt(sinkPages);
        Dropped++;
        return true;
    }

    /// <summary>Makes the streaming pages after the sink the window's of a table that was saved.</summary>
    public void RestoreGap(KvShape shape) => (_sinkPages, Dropped) = (shape.SinkPages, shape.Dropped);

    private static int RemoveLast(List<int> pages)
    {
        var page = pages[^1];
        pages.RemoveAt(pages.Count - 1);
        return page;
    }
}
