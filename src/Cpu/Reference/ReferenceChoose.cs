namespace LServe.Cpu;

/// <summary>The pages of best score.</summary>
internal static class ReferenceChoose
{
    /// <summary>
    /// Ascending indices of <paramref name="keep"/> pages in all, the first and the last ones always among them; ties go to the lower
    /// index. Pages whose score is −∞ or not a number are never chosen by it.
    /// </summary>
    public static int[] Pages(double[] scores, int keep, int sinkPages, int recentPages)
    {
        var count = scores.Length;
        if (count <= keep) return [.. Enumerable.Range(0, count)];
        int[] forced = [.. Forced(count, sinkPages, recentPages)];
        var best = Enumerable.Range(0, count).Except(forced).Where(p => scores[p] > double.NegativeInfinity).OrderByDescending(p => scores[p]).ThenBy(p => p);
        return [.. forced.Concat(best.Take(keep - forced.Length)).Order()];
    }

    /// <summary>Indices of the pages that are read whatever they score.</summary>
    public static IEnumerable<int> Forced(int count, int sinkPages, int recentPages) =>
        Enumerable.Range(0, count).Where(p => p < sinkPages || p >= count - recentPages);
}
