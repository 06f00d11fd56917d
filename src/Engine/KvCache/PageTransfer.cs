namespace LServe.Inference;

/// <summary>Moves the cache of idle sequences to host memory and back. Used by the step loop alone, between steps.</summary>
internal sealed class PageTransfer(IBackend backend, KvGeometry geometry, PageAllocator allocator)
{
    /// <summary>The sequence's cache without the full pages that are <paramref name="saved"/>; null if nothing is cached.</summary>
    public KvSnapshot? Export(Sequence sequence, IReadOnlySet<KvPageId> saved)
    {
        if (sequence.CachedLength == 0) return null;
        var shape = sequence.Pages.ShapeAt(sequence.CachedLength);
        var pages = new List<KvPage>();
        foreach (var id in shape.Held(geometry.Heads.AnyStreams))
            if (!shape.IsFull(id.Index) || !saved.Contains(id))
                pages.Add(new(id, Read(id.Pool, PageOf(sequence, id))));
        var selection = new byte[sequence.Selection?.SavedBytes ?? 0];
        sequence.Selection?.CopyTo(selection);
        return new(shape, pages, selection);
    }

    /// <summary>Gives an empty sequence the cache that it had; false, and it stays empty, if that isn't its cache or there is no room for it.</summary>
    public bool TryImport(Sequence sequence, KvSnapshot snapshot)
    {
        var pages = snapshot.Pages.ToDictionary(page => page.Id, page => page.Bytes);
        var held = snapshot.Shape.Held(geometry.Heads.AnyStreams).ToArray();
        if (!sequence.Pages.IsEmpty || snapshot.Shape.CachedLength > sequence.ComputedLength || !Fits(snapshot.Shape, sequence.Mode)) return false;
        if (!Array.TrueForAll(held, id => pages.TryGetValue(id, out var bytes) && bytes.Length == geometry.PageBytesOf(id.Pool))) return false;
        var selection = sequence.Mode == AttentionMode.LServe ? new SelectionState(geometry) : null;
        if (snapshot.Selection.Length != (selection?.SavedBytes ?? 0)) return false;
        selection?.CopyFrom(snapshot.Selection.Span);
        if (!allocator.TryRestore(sequence, snapshot.Shape)) return false;
        foreach (var id in held) backend.WritePage(id.Pool, PageOf(sequence, id), pages[id].Span);
        sequence.RestoreCache(snapshot.Shape.CachedLength, selection);
        allocator.Park(sequence);
        return true;
    }

    /// <summary>Pages are given back by sparse sequences only, right behind the sink.</summary>
    private bool Fits(KvShape shape, AttentionMode mode) =>
        shape.Dropped == 0
            ? shape.SinkPages == 0
            : mode == AttentionMode.LServe && geometry is { Heads.AnyStreams: true, LServe: { } options } && shape.SinkPages == KvGeometry.PagesFor(options.Sink);

    private byte[] Read(KvPool pool, int page)
    {
        var bytes = GC.AllocateUninitializedArray<byte>(checked((int)geometry.PageBytesOf(pool)));
        backend.ReadPage(pool, page, bytes);
        return bytes;
    }

    private static int PageOf(Sequence sequence, KvPageId id) =>
        id.Pool == KvPool.Retrieval ? sequence.Pages.Retrieval[id.Index] : sequence.Pages.Streaming(id.Index);
}
