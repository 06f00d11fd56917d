namespace LServe.Model;

/// <summary>Reads <c>tokenizer.json</c>: byte-level BPE with a known pre-tokenizer, or SentencePiece's BPE with byte fallback.</summary>
internal static class TokenizerJson
{
    /// <param name="vocabularySize">Tokens of the model, at least those of the tokenizer; those between stand for nothing.</param>
    public static TokenizerBase Read(JsonField root, int vocabularySize, int? beginToken, IEnumerable<int> endTokens)
    {
        var model = root.Required("model");
        RefuseOtherModels(model);
        var isSentencePiece = model.Optional("byte_fallback")?.Flag() ?? false;
        var spelling = isSentencePiece ? PieceSpelling.SentencePiece : PieceSpelling.ByteAlphabet;
        var vocabulary = TokenizerJsonVocabulary.Read(root, spelling, vocabularySize);
        var index = new PieceIndex(vocabulary);
        var merges = ReadMerges(model.Required("merges"), index, spelling);
        var begin = TokenizerJsonParts.BeginToken(root, vocabulary) ?? beginToken;
        var ends = EndTokens.Find(vocabulary, endTokens);
        if (isSentencePiece)
            return new SentencePieceBpe(vocabulary, index, merges, TokenizerJsonParts.SpacePrefix(root), begin, ends);
        var pre = TokenizerJsonParts.PreTokenization(root);
        var wholeWords = model.Optional("ignore_merges")?.Flag() ?? false;
        return new ByteLevelBpe(vocabulary, index, merges, pre, TokenizerJsonParts.IsComposed(root), wholeWords, begin, ends);
    }

    private static void RefuseOtherModels(JsonField model)
    {
        if (model.Optional("type") is { } type && type.Text() != "BPE") throw type.Problem($"is {type.Text()}; BPE works.");
        foreach (var name in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
            if (model.Optional(name) is { } affix && affix.Text().Length > 0)
                throw affix.Problem("is set; only BPE without it works.");
    }

    private static MergeTable ReadMerges(JsonField merges, PieceIndex index, PieceSpelling spelling)
    {
        var count = merges.IsArray ? merges.Element.GetArrayLength() : throw merges.Problem("is no array.");
        if (count > ModelLimits.MaxMerges) throw merges.Problem($"has {count} merges; at most {ModelLimits.MaxMerges} work.");
        var builder = new MergeTableBuilder(index, spelling, count);
        foreach (var merge in merges.Items())
        {
            var (left, right) = Pair(merge);
            if (!builder.TryAdd(System.Text.Encoding.UTF8.GetBytes(left), System.Text.Encoding.UTF8.GetBytes(right)))
                throw merge.Problem("names a piece that is not in the vocabulary.");
        }
        return builder.Table;
    }

    /// <summary>Older files have one string with a space between, newer ones a pair.</summary>
    private static (string Left, string Right) Pair(JsonField merge)
    {
        if (merge.IsArray)
        {
            var parts = merge.Items().Select(p => p.Text()).ToArray();
            return parts.Length == 2 ? (parts[0], parts[1]) : throw merge.Problem("is no pair.");
        }
        var text = merge.Text();
        var space = text.IndexOf(' ');
        return space > 0 ? (text[..space], text[(space + 1)..]) : throw merge.Problem("is not two pieces with a space between.");
    }
}
