namespace LServe.Cpu;

/// <summary>The best pages: forced ones, then the best scores, ties to the lower page, −∞ and NaN never; ascending.</summary>
internal static class TopPages
{
    /// <param name="scores">Of every page.</param>
    /// <param name="keep">Pages in all, at least the forced ones.</param>
    /// <param name="sinkPages">First ones, always in.</param>
    /// <param name="recentPages">Last ones, always in.</param>
    /// <param name="scratch">As many floats as pages.</param>
    /// <returns>How many were written to <paramref name="to"/>.</returns>
    public static int Choose(ReadOnlySpan<float> scores, int keep, int sinkPages, int recentPages, Span<float> scratch, Span<int> to)
    {
        if (scores.Length <= keep)
        {
            for (var i = 0; i < scores.Length; i++) to[i] = i;
            return scores.Length;
        }
        var (first, last) = (sinkPages, scores.Length - recentPages);
        var wanted = keep - sinkPages - recentPages;
        var (threshold, ties) = Threshold(scores[first..last], wanted, scratch);
        var count = 0;
        for (var page = 0; page < scores.Length; page++)
        {
            var forced = page < first || page >= last;
            if (!forced && !(scores[page] > threshold) && !(scores[page] == threshold && ties-- > 0)) continue;
            to[count++] = page;
        }
        return count;
    }

    /// <summary>The least score that is chosen, and how many of that score are.</summary>
    private static (float Score, int Ties) Threshold(ReadOnlySpan<float> scores, int wanted, Span<float> scratch)
    {
        var candidates = 0;
        foreach (var score in scores)
            if (score > float.NegativeInfinity)
                scratch[candidates++] = score;
        if (wanted <= 0) return (float.PositiveInfinity, 0);
        if (candidates <= wanted) return (float.NegativeInfinity, 0);
        var threshold = Largest(scratch[..candidates], wanted);
        var above = 0;
        foreach (var score in scores)
            if (score > threshold) above++;
        return (threshold, wanted - above);
    }

    /// <summary>The <paramref name="rank"/>-th largest (from 1), by Hoare's quickselect; reorders <paramref name="values"/>.</summary>
    private static float Largest(Span<float> values, int rank)
    {
        int low = 0, high = values.Length - 1, target = rank - 1;
        while (low < high)
        {
            var pivot = values[(low + high) / 2];
            int i = low, j = high;
            while (i <= j)
            {
                while (values[i] > pivot) i++;
                while (values[j] < pivot) j--;
                if (i <= j)
                {
                    (values[i], values[j]) = (values[j], values[i]);
                    i++;
                    j--;
                }
            }
            if (target <= j) high = j;
            else if (target >= i) low = i;
            else break;
        }
        return values[target];
    }
}
