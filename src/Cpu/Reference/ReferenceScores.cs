using LServe.Inference;

namespace LServe.Cpu;

/// <summary>Scores of pages from their statistics: the first stage of page selection.</summary>
internal static class ReferenceScores
{
    /// <summary>
    /// A query's score of a logical page: an upper bound of its products with the keys (Quest, arXiv 2406.10774), or their mean plus
    /// <paramref name="weight"/> times what would be their deviation if channels were independent.
    /// </summary>
    /// <param name="statistics">[2, D], see <see cref="ReferenceStatistics.Finish"/>.</param>
    public static double Logical(ReadOnlySpan<double> query, ReadOnlySpan<double> statistics, PageStatistics kind, double weight)
    {
        ReadOnlySpan<double> first = statistics[..query.Length], second = statistics[query.Length..];
        double score = 0, variance = 0;
        for (var i = 0; i < query.Length; i++)
        {
            score += kind == PageStatistics.Extremes ? Math.Max(query[i] * first[i], query[i] * second[i]) : query[i] * first[i];
            variance += query[i] * query[i] * second[i] * second[i];
        }
        return kind == PageStatistics.Extremes ? score : score + weight * Math.Sqrt(variance);
    }

    /// <summary>What a physical page scores: the best of its logical pages. Infinite scores and those that are no number don't count.</summary>
    public static double Best(IEnumerable<double> logical) => logical.Where(double.IsFinite).DefaultIfEmpty(double.NegativeInfinity).Max();

    /// <summary>
    /// One score per page for all queries of a KV head: the best of them; for two-stage (and the oracle's prompts) the mean of their softmax over the pages.
    /// −∞ where no query has a score.
    /// </summary>
    /// <param name="scores">[query][page].</param>
    public static double[] Combine(double[][] scores, SelectionPolicy policy, int dim)
    {
        var combined = new double[scores[0].Length];
        for (var page = 0; page < combined.Length; page++) combined[page] = scores.Max(query => query[page]);
        if (policy is SelectionPolicy.Quest or SelectionPolicy.Moments) return combined;
        var shares = Array.ConvertAll(scores, query => ReferenceSoftmax.Shares(query, 1 / Math.Sqrt(dim)));
        for (var page = 0; page < combined.Length; page++)
            if (combined[page] > double.NegativeInfinity)
                combined[page] = shares.Average(share => share[page]);
        return combined;
    }
}
