using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Model;

public class HuggingFaceTests
{
    [Theory]
    [InlineData("llama2", "llama", 16, false, TensorType.F32)]
    [InlineData("llama31", "llama", 16, true, TensorType.BF16)]
    [InlineData("llama-linear", "llama", 16, true, TensorType.F32)]
    [InlineData("mistral", "mistral", 32, false, TensorType.F16)]
    [InlineData("qwen2", "qwen2", 16, true, TensorType.BF16)]
    [InlineData("qwen2-yarn", "qwen2", 16, true, TensorType.F32)]
    [InlineData("qwen3", "qwen3", 32, false, TensorType.BF16)]
    public void Folders_open(string folder, string architecture, int headDim, bool tied, TensorType type)
    {
        using var model = ModelFile.Open(RepositoryFiles.Reference("tiny", folder));
        Assert.Equal((folder, architecture, headDim, RopeStyle.Halves), (model.Config.Name, model.Config.Architecture, model.Config.HeadDim, model.Config.Rope.Style));
        Assert.Equal(tied, ReferenceEquals(model.Weights.Embedding, model.Weights.Output));
        Assert.All(model.Weights.Layers, l => Assert.Equal(type, l.Down.Type));
        Assert.All(model.Weights.Layers, l => Assert.Equal(architecture == "qwen2", l.QueryBias is not null));
        Assert.All(model.Weights.Layers, l => Assert.Equal(architecture == "qwen3", l.KeyNorm is not null));
        Assert.Equal("hello", model.Tokenizer.Decode(model.Tokenizer.Encode("hello")));
        Assert.Equal(2, model.Tokenizer.EndTokens[0]);
    }

    [Fact]
    public void The_same_weights_in_both_formats_differ_by_the_order_of_rotated_channels()
    {
        using var folder = ModelFile.Open(RepositoryFiles.Reference("tiny", "llama2"));
        using var file = ModelFile.Open(RepositoryFiles.Reference("tiny", "llama2-gguf-f32", "model.gguf"));
        Assert.Equal(folder.Config with { Name = "", Rope = null! }, file.Config with { Name = "", Rope = null! });
        Assert.Equal(RopeStyle.Interleaved, file.Config.Rope.Style);
        Assert.Equal(folder.Config.Rope.InverseFrequencies, file.Config.Rope.InverseFrequencies);
        Assert.Equal(Values(folder.Weights.Layers[1].Value), Values(file.Weights.Layers[1].Value));
        var (halves, pairs) = (folder.Weights.Layers[1].Query, file.Weights.Layers[1].Query);
        for (var channel = 0; channel < 8; channel++)
        {
            Assert.True(halves.Row(16 + channel).SequenceEqual(pairs.Row(16 + 2 * channel)));
            Assert.True(halves.Row(16 + channel + 8).SequenceEqual(pairs.Row(16 + 2 * channel + 1)));
        }
    }

    [Fact]
    public void A_model_s_hash_covers_every_file()
    {
        using var folder = new ModelFolder("llama31");
        string before;
        using (var model = ModelFile.Open(folder.Path)) before = model.ComputeContentHash();
        folder.Edit("model-00002-of-00002.safetensors", bytes => bytes[^1] ^= 1);
        using var changed = ModelFile.Open(folder.Path);
        Assert.NotEqual(before, changed.ComputeContentHash());
    }

    private static float[] Values(Tensor tensor)
    {
        var values = new float[tensor.Rows * tensor.Columns];
        for (var row = 0; row < tensor.Rows; row++) TensorFormat.Dequantise(tensor.Type, tensor.Row(row), values.AsSpan(row * tensor.Columns, tensor.Columns));
        return values;
    }
}
