using LServe.Inference;

namespace LServe.Sessions;

/// <summary>What the records of a session's cache say of its pages. A page's tokens lie in one or more records, each going on where the one before ends.</summary>
internal static class PageRecords
{
    private const int PageTokens = KvGeometry.PageTokens;

    public static readonly KvRecordId State = new(KvRecordKind.Selection);

    public static KvRecordId IdOf(in KvPart part) =>
        new(part.Pool == KvPool.Retrieval ? KvRecordKind.Retrieval : KvRecordKind.Streaming, part.First, part.End);

    /// <summary>The tokens that a record holds; their bytes may still be missing.</summary>
    public static KvPart PartOf(KvRecordId id, ReadOnlyMemory<byte> bytes = default) => new(PoolOf(id.Kind), id.First, id.End, bytes);

    public static byte[] StateOf(KvSnapshot cache)
    {
        var state = new byte[KvShape.SavedBytes + cache.Selection.Length];
        cache.Shape.Write(state);
        cache.Selection.Span.CopyTo(state.AsSpan(KvShape.SavedBytes));
        return state;
    }

    /// <summary>Tokens of each page that are saved, from its first on.</summary>
    public static Dictionary<KvPageId, int> Covered(IEnumerable<KvRecordId> ids)
    {
        var covered = new Dictionary<KvPageId, int>();
        foreach (var id in InOrder(ids))
        {
            var page = PartOf(id).Page;
            if (id.First == page.Index * PageTokens + covered.GetValueOrDefault(page)) covered[page] = id.End - page.Index * PageTokens;
        }
        return covered;
    }

    /// <summary>Adds the records of <paramref name="before"/> that still belong to the cache to those that were written now.</summary>
    public static void Keep(
        IReadOnlyDictionary<KvRecordId, KvLocator> before, Dictionary<KvRecordId, KvLocator> now, KvShape shape, bool anyStreams)
    {
        var written = now.Keys.Where(id => id != State).ToDictionary(id => PartOf(id).Page, id => id.First);
        var held = shape.Held(anyStreams).ToHashSet();
        foreach (var (id, place) in before)
        {
            if (id == State) continue;
            var page = PartOf(id).Page;
            if (held.Contains(page) && id.End <= written.GetValueOrDefault(page, shape.CachedLength)) now[id] = place;
        }
    }

    /// <summary>The records of the pages that are held, by pool and position.</summary>
    /// <param name="covered">Tokens before the first that has no record.</param>
    public static List<KeyValuePair<KvRecordId, KvLocator>> Of(
        IReadOnlyDictionary<KvRecordId, KvLocator> kv, KvShape shape, bool anyStreams, out int covered)
    {
        var tokens = Covered(kv.Keys);
        covered = shape.CachedLength;
        foreach (var page in shape.Held(anyStreams))
            if (tokens.GetValueOrDefault(page) < shape.TokensIn(page.Index))
                covered = Math.Min(covered, page.Index * PageTokens + tokens.GetValueOrDefault(page));
        var held = shape.Held(anyStreams).ToHashSet();
        return [.. InOrder(kv.Keys).Where(id => held.Contains(PartOf(id).Page)).Select(id => KeyValuePair.Create(id, kv[id]))];
    }

    /// <summary>The records of the first <paramref name="intact"/> tokens.</summary>
    public static IReadOnlyDictionary<KvRecordId, KvLocator> Before(IReadOnlyDictionary<KvRecordId, KvLocator> kv, int intact) =>
        kv.Where(record => record.Key != State && record.Key.End <= intact).ToDictionary();

    private static IEnumerable<KvRecordId> InOrder(IEnumerable<KvRecordId> ids) =>
        ids.Where(id => id.Kind is KvRecordKind.Retrieval or KvRecordKind.Streaming && id.First / PageTokens == (id.End - 1) / PageTokens && id.First >= 0)
            .OrderBy(id => (id.Kind, id.First));

    private static KvPool PoolOf(KvRecordKind kind) => kind == KvRecordKind.Streaming ? KvPool.Streaming : KvPool.Retrieval;
}
