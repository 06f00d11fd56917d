using LServe.Cuda.Launch;
using LServe.Inference;

namespace LServe.Cuda.Attention;

/// <summary>
/// How large a step's launches are for its decode rows, rounded up so that few graphs serve many steps; the device's own numbers say what of it is work.
/// </summary>
/// <param name="Renewing">Rows that choose anew.</param>
/// <param name="Pages">Pages of the longest row that does.</param>
/// <param name="RetrievalItems">Parts of page lists of all rows, for a retrieval head.</param>
/// <param name="StreamingItems">The same for a streaming head.</param>
internal readonly record struct DecodeShape(int Rows, int Renewing, int Pages, int RetrievalItems, int StreamingItems)
{
    private const int LeastPages = 32, LeastItems = 4;

    public static DecodeShape Of(StepPlan plan, LServeOptions? options, int keep)
    {
        int rows = 0, retrieval = 0, streaming = 0, pages = 0, renewing = 0;
        foreach (var slice in plan.Slices)
        {
            if (slice.Kind != SliceKind.Decode) break;
            var sparse = slice.Selection is not null && options is not null;
            retrieval += AttentionPlan.Splits(AttentionPlan.RetrievalPages(slice.Start, sparse ? keep : 0));
            streaming += AttentionPlan.Splits(AttentionPlan.StreamingPages(slice.Start, options?.Sink ?? 0, sparse ? options!.Local : int.MaxValue));
            rows++;
            if (!slice.Renew || !sparse) continue;
            renewing++;
            pages = Math.Max(pages, KvGeometry.PagesFor(slice.Start + 1));
        }
        return new(rows, renewing == 0 ? 0 : Math.Min(rows, RoundUp(renewing, 1)), renewing == 0 ? 0 : RoundUp(pages, LeastPages), RoundUp(retrieval, LeastItems), RoundUp(streaming, LeastItems));
    }

    /// <summary>To a power of two, or one and a half of one.</summary>
    private static int RoundUp(int x, int least)
    {
        var size = least;
        while (size < x) size *= 2;
        return size > least && x <= size / 4 * 3 ? size / 4 * 3 : size;
    }
}
