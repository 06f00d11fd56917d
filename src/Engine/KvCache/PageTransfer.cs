namespace LServe.Inference;

/// <summary>Copies the cache of idle sequences to host memory. Used by the step loop alone, between steps.</summary>
internal sealed class PageTransfer(IBackend backend, KvGeometry geometry, PageAllocator allocator)
{
    private readonly Dictionary<KvPool, byte[]> _scratch = [];

    /// <summary>What of the sequence's cache isn't <paramref name="saved"/>; null if nothing is cached.</summary>
    /// <param name="saved">Tokens that are saved of each page, from its first on.</param>
    /// <param name="maxBytes">Bytes after which no further page is begun.</param>
    public KvSnapshot? Export(Sequence sequence, IReadOnlyDictionary<KvPageId, int> saved, long maxBytes)
    {
        if (sequence.CachedLength == 0) return null;
        var shape = sequence.Pages.ShapeAt(sequence.CachedLength);
        var (parts, bytes, complete) = (new List<KvPart>(), 0L, true);
        foreach (var id in shape.Held(geometry.Heads.AnyStreams))
        {
            var (first, end) = (saved.GetValueOrDefault(id), shape.TokensIn(id.Index));
            if (first == end) continue;
            if (bytes >= maxBytes)
            {
                complete = false;
                break;
            }
            // Fewer tokens than were saved: they were dropped since, and those that took their place are others.
            parts.Add(Read(sequence, id, first > end ? 0 : first, end));
            bytes += parts[^1].Bytes.Length;
        }
        if (sequence.Selection is { } state) backend.ReadSelection(state);
        var selection = new byte[sequence.Selection?.SavedBytes ?? 0];
        sequence.Selection?.CopyTo(selection);
        return new(shape, parts, selection, complete);
    }

    /// <summary>
    /// Takes the pages of a shape for an empty sequence; null, and it stays empty, if that isn't its cache or there is no room for it.
    /// </summary>
    public PageImport? Begin(Sequence sequence, KvShape shape, ReadOnlySpan<byte> selection)
    {
        if (!sequence.Pages.IsEmpty || shape.CachedLength > sequence.ComputedLength || !Fits(shape, sequence.Mode)) return null;
        var state = sequence.Mode == AttentionMode.LServe ? new SelectionState(geometry) : null;
        if (selection.Length != (state?.SavedBytes ?? 0) || state?.TryCopyFrom(selection, shape.PageCount) == false) return null;
        return allocator.TryRestore(sequence, shape) ? new(sequence, shape, state) : null;
    }

    /// <summary>The memory of a whole page that was taken; by any thread.</summary>
    public Memory<byte>? MemoryOf(PageImport import, in KvPart part) =>
        part.End - part.First == KvGeometry.PageTokens ? backend.MemoryOf(part.Pool, PageOf(import.Sequence, part.Page)) : null;

    /// <summary>Writes tokens into the pages that were taken, by pool and position; false if their bytes aren't those of a page here.</summary>
    public bool Write(PageImport import, IReadOnlyList<KvPart> parts)
    {
        for (var i = 0; i < parts.Count;)
        {
            var next = i + 1;
            while (next < parts.Count && parts[next].Page == parts[i].Page) next++;
            if (!WritePage(import.Sequence, parts.Skip(i).Take(next - i).ToArray())) return false;
            i = next;
        }
        return true;
    }

    /// <summary>The sequence has its first <paramref name="intact"/> tokens, or as many of them as it can go on from.</summary>
    public void End(PageImport import, int intact)
    {
        import.Sequence.RestoreCache(import.Shape.CachedLength, import.Selection);
        if (intact < import.Shape.CachedLength) allocator.Forget(import.Sequence, intact);
        allocator.Park(import.Sequence);
    }

    private bool WritePage(Sequence sequence, KvPart[] parts)
    {
        var (id, form) = (parts[0].Page, backend.FormOf(parts[0].Pool));
        var size = checked((int)geometry.PageBytesOf(id.Pool));
        foreach (var part in parts)
            if (part.Bytes.Length != (form?.BytesOf(InPage(part.First), InPage(part.First) + part.End - part.First) ?? size))
                return false;
        var page = PageOf(sequence, id);
        // By its tokens, not by its bytes: half a page, cut out with a byte for every nibble, can be as long as a page.
        if (form is null || parts[0].End - parts[0].First == KvGeometry.PageTokens)
        {
            backend.WritePage(id.Pool, page, parts[0].Bytes.Span);
            return true;
        }
        var scratch = ScratchOf(id.Pool);
        if (InPage(parts[0].First) == 0) scratch.AsSpan().Clear();
        else backend.ReadPage(id.Pool, page, scratch);
        foreach (var part in parts) form.Put(part.Bytes.Span, InPage(part.First), InPage(part.First) + part.End - part.First, scratch);
        backend.WritePage(id.Pool, page, scratch);
        return true;
    }

    /// <summary>Pages are given back by sparse sequences only, right behind the sink.</summary>
    private bool Fits(KvShape shape, AttentionMode mode) =>
        shape.Dropped == 0
            ? shape.SinkPages == 0
            : mode == AttentionMode.LServe && geometry is { Heads.AnyStreams: true, LServe: { } options } && shape.SinkPages == KvGeometry.PagesFor(options.Sink);

    private KvPart Read(Sequence sequence, KvPageId id, int first, int end)
    {
        var (start, form, page) = (id.Index * KvGeometry.PageTokens, backend.FormOf(id.Pool), PageOf(sequence, id));
        if (form is null)
        {
            var whole = GC.AllocateUninitializedArray<byte>(checked((int)geometry.PageBytesOf(id.Pool)));
            backend.ReadPage(id.Pool, page, whole);
            return new(id.Pool, start, start + end, whole);
        }
        var scratch = ScratchOf(id.Pool);
        backend.ReadPage(id.Pool, page, scratch);
        var bytes = GC.AllocateUninitializedArray<byte>(form.BytesOf(first, end));
        form.Take(scratch, first, end, bytes);
        return new(id.Pool, start + first, start + end, bytes);
    }

    private byte[] ScratchOf(KvPool pool) =>
        _scratch.TryGetValue(pool, out var scratch) ? scratch : _scratch[pool] = new byte[checked((int)geometry.PageBytesOf(pool))];

    private static int InPage(int position) => position % KvGeometry.PageTokens;

    private static int PageOf(Sequence sequence, KvPageId id) =>
        id.Pool == KvPool.Retrieval ? sequence.Pages.Retrieval[id.Index] : sequence.Pages.Streaming(id.Index);
}

/// <summary>A cache that is on its way back into the engine: its pages are taken, and belong to a sequence that nobody else knows of yet.</summary>
public sealed class PageImport
{
    internal PageImport(Sequence sequence, KvShape shape, SelectionState? selection) => (Sequence, Shape, Selection) = (sequence, shape, selection);

    internal Sequence Sequence { get; }
    internal KvShape Shape { get; }
    internal SelectionState? Selection { get; }
}
