namespace LServe.Inference;

/// <summary>What the pages of a pool are made of: the pieces of one head's page, for head after head. Tokens are counted within the page, 0 … 63.</summary>
public sealed class PageForm
{
    private readonly int _heads;
    private readonly PageStrip[] _strips;

    public PageForm(int heads, params ReadOnlySpan<PageStrip> strips)
    {
        (_heads, _strips) = (heads, strips.ToArray());
        foreach (var strip in strips) Bytes += heads * strip.Bytes;
    }

    /// <summary>Bytes of a whole page.</summary>
    public int Bytes { get; }

    /// <summary>Bytes of tokens <paramref name="first"/> … <paramref name="end"/> − 1. All tokens together are the page as it is.</summary>
    public int BytesOf(int first, int end)
    {
        if (IsWhole(first, end)) return Bytes;
        var head = 0;
        foreach (var strip in _strips) head += strip.BytesOf(first, end);
        return _heads * head;
    }

    /// <summary>Cuts tokens out of a page.</summary>
    public void Take(ReadOnlySpan<byte> page, int first, int end, Span<byte> to)
    {
        if (IsWhole(first, end))
        {
            page[..Bytes].CopyTo(to);
            return;
        }
        for (var head = 0; head < _heads; head++)
            foreach (var strip in _strips)
            {
                strip.Take(page[..strip.Bytes], first, end, to);
                page = page[strip.Bytes..];
                to = to[strip.BytesOf(first, end)..];
            }
    }

    /// <summary>Puts tokens that were cut out into a page where they aren't yet.</summary>
    public void Put(ReadOnlySpan<byte> cut, int first, int end, Span<byte> page)
    {
        if (IsWhole(first, end))
        {
            cut[..Bytes].CopyTo(page);
            return;
        }
        for (var head = 0; head < _heads; head++)
            foreach (var strip in _strips)
            {
                strip.Put(cut[..strip.BytesOf(first, end)], first, end, page[..strip.Bytes]);
                page = page[strip.Bytes..];
                cut = cut[strip.BytesOf(first, end)..];
            }
    }

    private static bool IsWhole(int first, int end) => end - first == KvGeometry.PageTokens;
}
