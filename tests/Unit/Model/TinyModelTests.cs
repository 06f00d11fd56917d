using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Model;

public class TinyModelTests
{
    [Fact]
    public void Equal_options_give_equal_files() => Assert.Equal(TinyModel.Bytes(), TinyModel.Bytes());

    [Fact]
    public void Another_seed_gives_another_file() => Assert.NotEqual(TinyModel.Bytes(), TinyModel.Bytes(new() { Seed = 2 }));

    [Fact]
    public void It_opens_and_talks_ChatML()
    {
        using var file = new TemporaryFile(TinyModel.Bytes(new() { ContextLength = 65_536, Layers = 3 }));
        using var model = ModelFile.Open(file.Path);
        Assert.Equal((3, 64, 65_536, 288), (model.Config.Layers, model.Config.HiddenSize, model.Config.ContextLength, model.Config.VocabularySize));
        Assert.Equal("<|im_start|>system\nYou are tiny.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n",
            ChatCase.Text(model.Template!.Render([new("user", "Hi")], generationPrompt: false)));
        Assert.Equal("hello world, the éè€😀", model.Tokenizer.Decode(model.Tokenizer.Encode("hello world, the éè€😀")));
        Assert.Equal(2, model.Tokenizer.Encode("hello world").Length);
    }

    public static TheoryData<TensorType> Types => [.. Enum.GetValues<TensorType>()];

    [Theory, MemberData(nameof(Types))]
    public void Weights_of_every_type_have_the_wanted_spread(TensorType type)
    {
        const float deviation = 0.05f;
        const int rows = 64, columns = 512;
        var values = new float[rows * columns];
        TensorFormat.Dequantise(type, RandomTensor.Bytes(new Random(3), type, rows, columns, deviation), values);
        Assert.InRange(values.Average(), -0.01, 0.01); // the four bits of Q4_0 reach from -8 to 7
        Assert.InRange(Math.Sqrt(values.Average(v => v * v)), 0.8 * deviation, 1.25 * deviation);
    }

    [Fact]
    public void Every_type_fits_into_a_model()
    {
        foreach (var type in Enum.GetValues<TensorType>())
        {
            using var file = new TemporaryFile(TinyModel.Bytes(new() { MatrixType = type, HiddenSize = 256, FeedForwardSize = 512, TiedEmbedding = true }));
            using var model = ModelFile.Open(file.Path);
            Assert.Equal(type, model.Weights.Layers[1].Down.Type);
            Assert.Same(model.Weights.Embedding, model.Weights.Output);
        }
    }
}
