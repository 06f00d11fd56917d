namespace LServe.Inference;

/// <summary>
/// What page selection keeps of one sequence from step to step, for every retrieval head: the pages chosen at the last renewal, and the
/// statistics of the logical page that is still open. Belongs to the sequence, never to a layer or a row of a batch, and is saved with it.
/// Backends change it within a step, each head's part by one thread.
/// </summary>
public sealed class SelectionState
{
    private readonly int _keptPages, _openFloats;
    private readonly int[] _kept, _counts;
    private readonly float[] _open;

    public SelectionState(KvGeometry geometry)
    {
        var options = geometry.LServe ?? throw new ArgumentException("The engine has no sparse attention.", nameof(geometry));
        _keptPages = options.KeptPages;
        _openFloats = options.Statistics == PageStatistics.None ? 0 : 2 * geometry.HeadDim;
        _counts = new int[geometry.Heads.RetrievalHeads];
        _kept = new int[_counts.Length * _keptPages];
        _open = new float[_counts.Length * _openFloats];
    }

    /// <summary>Bytes of <see cref="CopyTo"/>.</summary>
    public int SavedBytes => sizeof(int) * (_counts.Length + _kept.Length + _open.Length);

    /// <summary>Ascending pages kept for a retrieval head (its place in <see cref="HeadLayout"/>).</summary>
    public ReadOnlySpan<int> Kept(int place) => _kept.AsSpan(place * _keptPages, _counts[place]);

    /// <summary>Room for a new choice; <see cref="SetKept"/> says how many pages it has.</summary>
    public Span<int> KeptRoom(int place) => _kept.AsSpan(place * _keptPages, _keptPages);

    public void SetKept(int place, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _keptPages);
        _counts[place] = count;
    }

    /// <summary>[2, D] of the open logical page in float32: maximum and minimum, or mean and sum of squared deviations.</summary>
    public Span<float> Open(int place) => _open.AsSpan(place * _openFloats, _openFloats);

    /// <summary>Writes the state for a snapshot.</summary>
    public void CopyTo(Span<byte> to)
    {
        Bytes(_counts).CopyTo(to);
        Bytes(_kept).CopyTo(to[(sizeof(int) * _counts.Length)..]);
        Bytes(_open).CopyTo(to[(sizeof(int) * (_counts.Length + _kept.Length))..]);
    }

    /// <summary>Reads what <see cref="CopyTo"/> wrote; false if the bytes are no state of a sequence with <paramref name="pages"/> pages here.</summary>
    public bool TryCopyFrom(ReadOnlySpan<byte> from, int pages)
    {
        if (from.Length != SavedBytes) return false;
        from[..(sizeof(int) * _counts.Length)].CopyTo(Bytes(_counts));
        from.Slice(sizeof(int) * _counts.Length, sizeof(int) * _kept.Length).CopyTo(Bytes(_kept));
        from[(sizeof(int) * (_counts.Length + _kept.Length))..].CopyTo(Bytes(_open));
        for (var place = 0; place < _counts.Length; place++)
            if ((uint)_counts[place] > (uint)_keptPages || !Ascends(Kept(place), pages))
                return false;
        return true;
    }

    private static bool Ascends(ReadOnlySpan<int> kept, int pages)
    {
        var last = -1;
        foreach (var page in kept)
        {
            if (page <= last || page >= pages) return false;
            last = page;
        }
        return true;
    }

    private static Span<byte> Bytes<T>(T[] array) where T : unmanaged => System.Runtime.InteropServices.MemoryMarshal.AsBytes(array.AsSpan());
}
