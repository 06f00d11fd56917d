namespace LServe.Model;

/// <summary>
/// The merges of a SentencePiece vocabulary, which keeps scores alone: any two neighbours whose texts together are a piece merge, the
/// highest score first.
/// </summary>
internal static class SentencePieceMerges
{
    /// <summary>Bytes of a piece that is built from merges; a longer one is only found as a whole.</summary>
    public const int MaxPieceBytes = 128;

    /// <returns>Null if there are more than <see cref="ModelLimits.MaxMerges"/>.</returns>
    public static MergeTable? Build(Vocabulary vocabulary, PieceIndex index, Func<int, float> scoreOf)
    {
        var pieces = Enumerable.Range(0, vocabulary.Count)
            .Where(t => vocabulary.KindOf(t) == TokenKind.Normal && vocabulary[t].Length is > 1 and <= MaxPieceBytes)
            .OrderByDescending(scoreOf).ToArray();
        var most = pieces.Sum(t => vocabulary[t].Length - 1L);
        if (most > ModelLimits.MaxMerges) return null;
        var merges = new MergeTable((int)most);
        var rank = 0;
        for (var i = 0; i < pieces.Length; i++)
        {
            if (i > 0 && scoreOf(pieces[i]) != scoreOf(pieces[i - 1])) rank++;
            AddSplits(merges, vocabulary, index, pieces[i], rank);
        }
        return merges;
    }

    private static void AddSplits(MergeTable merges, Vocabulary vocabulary, PieceIndex index, int token, int rank)
    {
        var piece = vocabulary[token];
        for (var cut = 1; cut < piece.Length; cut++)
        {
            var isInsideCharacter = (piece[cut] & 0xC0) == 0x80;
            if (isInsideCharacter) continue;
            var left = index.Find(piece[..cut]);
            var right = left < 0 ? -1 : index.Find(piece[cut..]);
            if (right >= 0) merges.Add(left, right, rank, token);
        }
    }
}
