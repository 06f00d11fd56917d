using System.Text.Json;
using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Model;

public class BundledModelTests(BundledModel model) : IClassFixture<BundledModel>
{
    private ITokenizer Tokenizer => model.File.Tokenizer;

    [Fact]
    public void Geometry_is_the_model_s()
    {
        var config = model.File.Config;
        Assert.Equal((30, 576, 1536, 9, 3, 64, 49152, 8192), (config.Layers, config.HiddenSize, config.FeedForwardSize, config.QueryHeads,
            config.KvHeads, config.HeadDim, config.VocabularySize, config.ContextLength));
        Assert.Equal(1e-5f, config.RmsEpsilon);
        Assert.Equal(RopeStyle.Interleaved, config.Rope.Style);
        Assert.Equal(Math.Pow(100_000, -62 / 64.0), config.Rope.InverseFrequencies[31], 1e-18);
    }

    [Fact]
    public void Weights_are_mapped_and_the_embedding_is_tied()
    {
        var weights = model.File.Weights;
        Assert.Same(weights.Embedding, weights.Output);
        Assert.Equal((TensorType.Q8_0, 49152, 576), (weights.Embedding.Type, weights.Embedding.Rows, weights.Embedding.Columns));
        Assert.Equal(30, weights.Layers.Count);
        Assert.All(weights.Layers, l => Assert.Equal((TensorType.Q4_1, 192, 576), (l.Key.Type, l.Key.Rows, l.Key.Columns)));
    }

    [Fact]
    public void Content_hash_is_the_published_one() =>
        Assert.Equal("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53", model.File.ComputeContentHash());

    [Fact]
    public void Prompts_tokenise_to_the_reference_s_ids()
    {
        foreach (var prompt in JsonDocument.Parse(File.ReadAllText(RepositoryFiles.Reference("smollm2", "prompts.json"))).RootElement.EnumerateArray())
        {
            var ids = new List<int>();
            if (prompt.TryGetProperty("messages", out var messages))
                Tokenizer.Encode(model.File.Template!.Render(ChatCase.Turns(messages), true), ids);
            else Tokenizer.Encode(prompt.GetProperty("text").GetString(), true, ids);
            var expected = prompt.GetProperty("prompt_ids").EnumerateArray().Select(e => e.GetInt32()).ToArray();
            Assert.Equal(expected, ids.Take(expected.Length)); // some prompts are cut
        }
    }

    [Fact]
    public void Tokens_of_every_string_equal_the_reference() => TokenizerCase.CheckAll(Tokenizer, "smollm2.json");

    [Fact]
    public void Chats_render_as_the_model_s_template_does() => ChatCase.CheckAll(model.File.Template!, "smollm2.chat.json");

    [Fact]
    public void End_tokens_are_the_file_s_and_the_end_of_text()
    {
        Assert.Equal(2, Tokenizer.EndTokens[0]);
        Assert.Contains(0, Tokenizer.EndTokens);
        Assert.Null(Tokenizer.BeginToken);
    }
}

public sealed class BundledModel : IDisposable
{
    public ModelFile File { get; } = ModelFile.Open(RepositoryFiles.BundledModel);
    public void Dispose() => File.Dispose();
}
