namespace LServe.Cpu;

/// <summary>How much attention pages get: the second stage of two-stage selection by sketches of the keys, the oracle by the keys themselves.</summary>
internal static class ReferenceMass
{
    /// <summary>Softmax over the tokens of <paramref name="pages"/>, summed by page, mean over the queries; −∞ for all other pages.</summary>
    /// <param name="queries">[query][D] in the basis of the keys.</param>
    /// <param name="tokens">Tokens of the sequence.</param>
    public static double[] OfPages(ReferenceHead head, double[][] queries, IEnumerable<int> pages, int tokens, int? sketchBits)
    {
        int[] eligible = [.. pages.SelectMany(page => ReferenceHead.TokensOf(page, tokens))];
        var mass = new double[ReferenceHead.PagesOf(tokens)];
        Array.Fill(mass, double.NegativeInfinity);
        foreach (var query in queries)
        {
            var scores = head.Scores(query, eligible, sketchBits);
            var shares = ReferenceSoftmax.Shares(scores, 1);
            for (var i = 0; i < eligible.Length; i++)
                if (double.IsFinite(scores[i]))
                    mass[ReferenceHead.PageOf(eligible[i])] = Math.Max(0, mass[ReferenceHead.PageOf(eligible[i])]) + shares[i] / queries.Length;
        }
        return mass;
    }
}
