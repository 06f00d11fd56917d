using System.Text.Json;
using LServe.Model;

namespace LServe.Tests.Unit.Model;

/// <summary>Tokenizers that real models were published with, against what Hugging Face's library makes of the same strings.</summary>
public class PublishedTokenizerTests
{
    [FactWithTokenizer("tokenizer-llama3")]
    public void Llama_3() => Check("tokenizer-llama3", "llama3", 128_256, "Llama 3");

    [FactWithTokenizer("tokenizer-llama2")]
    public void SentencePiece() => Check("tokenizer-llama2", "llama2", 32_000, null);

    [FactWithTokenizer("tokenizer-qwen2_5")]
    public void Qwen_2_5() => Check("tokenizer-qwen2_5", "qwen2_5", 151_936, "Qwen 2.5");

    [FactWithTokenizer("tokenizer-qwen3")]
    public void Qwen_3() => Check("tokenizer-qwen3", "qwen3", 151_936, "Qwen 3");

    [FactWithTokenizer("tokenizer-llama2")]
    public void SentencePiece_by_scores_merges_as_by_ranks()
    {
        using var json = JsonFile.Read(Path.Combine(TokenizerPackage.Find("tokenizer-llama2")!, "tokenizer.json"), int.MaxValue);
        var vocabulary = TokenizerJsonVocabulary.Read(json.Root, PieceSpelling.SentencePiece, 32_000);
        var index = new PieceIndex(vocabulary);
        // In this vocabulary pieces are numbered by falling score, except for runs of spaces, which merge last.
        float ScoreOf(int token) => vocabulary[token].ContainsAnyExcept((byte)' ') ? -token : -1e9f - token;
        var merges = SentencePieceMerges.Build(vocabulary, index, ScoreOf)!;
        TokenizerCase.CheckAll(new SentencePieceBpe(vocabulary, index, merges, SpacePrefix.EveryText, 1, [2]), "llama2.json");
    }

    private static void Check(string package, string reference, int vocabularySize, string? templateName)
    {
        var folder = TokenizerPackage.Find(package)!;
        using var json = JsonFile.Read(Path.Combine(folder, "tokenizer.json"), int.MaxValue);
        var tokenizer = TokenizerJson.Read(json.Root, vocabularySize, null, []);
        TokenizerCase.CheckAll(tokenizer, reference + ".json");
        if (templateName is null) return;
        using var config = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "tokenizer_config.json")));
        var template = ChatTemplates.Find(config.RootElement.GetProperty("chat_template").GetString(), tokenizer, out var problem);
        Assert.Null(problem);
        Assert.Equal(templateName, template!.Name);
        ChatCase.CheckAll(template, reference + ".chat.json");
    }
}
