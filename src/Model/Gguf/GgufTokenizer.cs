namespace LServe.Model;

/// <summary>The tokenizer that GGUF metadata hold: GPT-2's (byte-level BPE) or Llama's (SentencePiece).</summary>
internal static class GgufTokenizer
{
    private const string Model = "tokenizer.ggml.model", Pre = "tokenizer.ggml.pre", Merges = "tokenizer.ggml.merges";
    private const string Scores = "tokenizer.ggml.scores", AddSpace = "tokenizer.ggml.add_space_prefix";
    private const string AddBegin = "tokenizer.ggml.add_bos_token";

    public static TokenizerBase Read(GgufMetadata metadata)
    {
        var model = metadata.RequiredText(Model);
        return model switch
        {
            "gpt2" => ReadByteLevel(metadata),
            "llama" => ReadSentencePiece(metadata),
            _ => throw metadata.Problem(Model, $"is {model}; these work: gpt2 (byte-level BPE), llama (SentencePiece)."),
        };
    }

    private static ByteLevelBpe ReadByteLevel(GgufMetadata metadata)
    {
        var name = metadata.RequiredText(Pre);
        var pre = PreTokenizers.FindByGgufName(name) ?? throw metadata.Problem(Pre, $"is {name}; these work: {PreTokenizers.GgufNames}.");
        var vocabulary = GgufVocabulary.Read(metadata, PieceSpelling.ByteAlphabet);
        var index = new PieceIndex(vocabulary);
        var merges = GgufMerges.Read(metadata, Merges, index);
        return new ByteLevelBpe(vocabulary, index, merges, pre.PreTokenizer, pre.IsComposed, pre.WholeWordsFirst,
            Begin(metadata, vocabulary, pre.AddsBegin), Ends(metadata, vocabulary));
    }

    private static SentencePieceBpe ReadSentencePiece(GgufMetadata metadata)
    {
        var vocabulary = GgufVocabulary.Read(metadata, PieceSpelling.SentencePiece);
        var scores = metadata.OptionalNumbers<float>(Scores, GgufType.Float32) ?? throw metadata.Missing(Scores);
        if (scores.Count != vocabulary.Count) throw metadata.Problem(Scores, $"has {scores.Count} scores for {vocabulary.Count} tokens.");
        var index = new PieceIndex(vocabulary);
        var merges = SentencePieceMerges.Build(vocabulary, index, token => scores[token])
            ?? throw metadata.Problem(Scores, $"are of a vocabulary with more than {ModelLimits.MaxMerges} merges.");
        var prefix = metadata.OptionalFlag(AddSpace) ?? true ? SpacePrefix.EveryText : SpacePrefix.None;
        return new SentencePieceBpe(vocabulary, index, merges, prefix, Begin(metadata, vocabulary, true), Ends(metadata, vocabulary));
    }

    private static int? Begin(GgufMetadata metadata, Vocabulary vocabulary, bool unlessSaid)
    {
        var begin = Token(metadata, vocabulary, "bos");
        return metadata.OptionalFlag(AddBegin) ?? unlessSaid ? begin : null;
    }

    private static IReadOnlyList<int> Ends(GgufMetadata metadata, Vocabulary vocabulary) =>
        EndTokens.Find(vocabulary, new[] { "eos", "eot" }.Select(name => Token(metadata, vocabulary, name)).OfType<int>());

    private static int? Token(GgufMetadata metadata, Vocabulary vocabulary, string name) =>
        metadata.OptionalInt($"tokenizer.ggml.{name}_token_id", 0, vocabulary.Count - 1);
}
