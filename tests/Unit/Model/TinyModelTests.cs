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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Greedy_answers_are_varied_and_depend_on_the_prompt(bool anyToken)
    {
        using var file = new TemporaryFile(TinyModel.Bytes(new() { GeneratesAnyToken = anyToken }));
        using var model = ModelFile.Open(file.Path);
        var answers = new[] { "Hello", "hello", "What is the time?" }.Select(prompt => Greedy(model, model.Tokenizer.Encode(prompt), 40)).ToArray();
        Assert.All(answers, a => Assert.True(a.Distinct().Count() >= 8, string.Join(' ', a)));
        Assert.NotEqual(answers[0], answers[1]);
        if (!anyToken) Assert.All(answers, a => Assert.All(a, token => Assert.True(TinyTokenizer.IsPrintable(token))));
    }

    private static int[] Greedy(ModelFile model, int[] prompt, int count)
    {
        using var run = new ReferenceRun(model);
        var logits = run.Prefill(prompt);
        var answer = new int[count];
        for (var i = 0; i < count; i++)
        {
            answer[i] = Best(logits[^model.Config.VocabularySize..]);
            logits = run.Decode(answer[i]);
        }
        return answer;
    }

    private static int Best(float[] logits) => Array.IndexOf(logits, logits.Max());
}
