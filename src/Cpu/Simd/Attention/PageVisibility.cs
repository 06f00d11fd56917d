using LServe.Inference;

namespace LServe.Cpu;

/// <summary>Which tokens of a page a row sees, as a bit for each of the 64.</summary>
internal static class PageVisibility
{
    private const int Tokens = KvGeometry.PageTokens;

    /// <summary>Those up to the row's own position.</summary>
    public static ulong Causal(int position, int page) => First(position + 1 - page * Tokens);

    /// <summary>Of those, the sink's and the window's, exact to the token (LServe, arXiv 2502.14866, section 3.2).</summary>
    public static ulong Streaming(int position, int page, int sink, int local)
    {
        var before = First(position - local + 1 - page * Tokens);
        return Causal(position, page) & (~before | First(sink - page * Tokens));
    }

    private static ulong First(int count) => count <= 0 ? 0 : count >= Tokens ? ulong.MaxValue : (1UL << count) - 1;
}
