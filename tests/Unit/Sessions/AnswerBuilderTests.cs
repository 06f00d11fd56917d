using System.Text;
using LServe.Contracts;
using LServe.Inference;
using LServe.Model;
using LServe.Sessions;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Sessions;

public sealed class AnswerBuilderTests : IDisposable
{
    private readonly TemporaryFile _file = new(TinyModel.Bytes());
    private readonly ModelFile _model;

    public AnswerBuilderTests() => _model = ModelFile.Open(_file.Path);

    /// <summary>One token per byte, so that characters span tokens.</summary>
    private static int[] Bytes(string text) => [.. Encoding.UTF8.GetBytes(text).Select(b => TinyTokenizer.FirstByte + b)];

    [Theory]
    [InlineData("plain", 5, 5, "")]
    [InlineData("plain", 2, 2, "")]
    [InlineData("a€b", 1, 1, "")]
    [InlineData("a€b", 2, 4, "")]
    [InlineData("a€b", 3, 5, "")]
    [InlineData("x😀", 3, 5, "")]
    public void CutsAtWholeCharacters(string text, int length, int tokens, string leftOver)
    {
        var answer = Build(Bytes(text), new());
        Assert.Equal(text, answer.Text);
        Assert.Equal((tokens, leftOver), answer.Cut(length));
    }

    [Fact]
    public void ATokenThatIsCutLeavesItsTextOver()
    {
        var hello = _model.Tokenizer.Encode("hello");
        Assert.Single(hello);
        var answer = Build([.. Bytes("oh "), .. hello], new());
        Assert.Equal((3, "he"), answer.Cut(5));
    }

    [Fact]
    public void AStopStringInsideATokenEndsTheTextThere()
    {
        var answer = Build([.. Bytes("oh "), .. _model.Tokenizer.Encode("hello")], new() { Stop = ["llo"] });
        Assert.True(answer.Stopped);
        Assert.Equal("oh he", answer.Text);
        Assert.Equal((3, "he"), answer.Cut(answer.Text.Length));
    }

    [Fact]
    public void HalfACharacterAtTheEndIsNeitherSentNorKept()
    {
        var answer = Build(Bytes("a€")[..3], new());
        Assert.Equal("a", answer.Text);
        Assert.Equal((1, ""), answer.Cut(1));
        Assert.Equal(3, answer.Drawn);
    }

    private AnswerBuilder Build(int[] tokens, SamplingOptions sampling)
    {
        var answer = new AnswerBuilder(_model.Tokenizer, sampling, continues: false);
        foreach (var token in tokens)
        {
            answer.Append(TokenEvent.OfToken(new(token, 0, null), isEnd: false));
            if (answer.Stopped) break;
        }
        answer.Flush();
        return answer;
    }

    public void Dispose()
    {
        _model.Dispose();
        _file.Dispose();
    }
}
