using LServe.Inference;

namespace LServe.Cpu;

/// <summary>
/// The pages a head reads for some rows, in ascending order: a list, then a range. Cut into splits of <see cref="SplitPages"/> pages, by
/// place in the walk or, for windows that begin elsewhere for every row, by the page's own number: then a row has the same splits alone and beside others.
/// </summary>
/// <param name="List">Where the list begins in its storage.</param>
/// <param name="Start">First page of the range.</param>
/// <param name="End">Page after the range.</param>
/// <param name="Windowed">Whether rows see sink and window only.</param>
internal readonly record struct PageWalk(int List, int Listed, int Start, int End, bool Windowed)
{
    /// <summary>Pages: 256 tokens, some 5 µs of work.</summary>
    public const int SplitPages = 4;

    public int Count => Listed + Math.Max(0, End - Start);

    /// <summary>Place of the first entry of the split after the one that <paramref name="entry"/> begins.</summary>
    public int SplitEnd(int entry, ReadOnlySpan<int> pages)
    {
        if (!Windowed) return Math.Min(Count, entry + SplitPages);
        var split = Page(entry, pages) / SplitPages;
        while (entry < Count && Page(entry, pages) / SplitPages == split) entry++;
        return entry;
    }

    /// <summary>The page at a place of the walk.</summary>
    /// <param name="pages">The lists' storage.</param>
    public int Page(int entry, ReadOnlySpan<int> pages) => entry < Listed ? pages[List + entry] : Start + entry - Listed;

    public static PageWalk All(int pages) => new(0, 0, 0, pages, Windowed: false);

    /// <summary>What a streaming head reads for the rows at <paramref name="first"/> … <paramref name="last"/>.</summary>
    public static PageWalk Window(int first, int last, LServeOptions options)
    {
        var end = KvGeometry.PagesFor(last + 1);
        var count = Math.Min(end, KvGeometry.PagesFor(options.Sink));
        var start = Math.Max(count, Math.Max(0, first - options.Local + 1) / KvGeometry.PageTokens);
        return new(0, count, start, end, Windowed: true);
    }
}
