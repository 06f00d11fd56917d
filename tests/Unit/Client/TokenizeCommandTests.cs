using LServe.Cli;
using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Client;

public sealed class TokenizeCommandTests : IDisposable
{
    private readonly ModelFile _model = ModelFile.Open(RepositoryFiles.BundledModel);

    public void Dispose() => _model.Dispose();

    [Fact]
    public void IdsOfATextAreOneLine()
    {
        var output = new StringWriter { NewLine = "\n" };
        TokenizeCommand.TokenizeAll(_model.Tokenizer, "Hello, world\n", output, special: false);
        Assert.Equal(string.Join(' ', _model.Tokenizer.Encode("Hello, world\n")) + "\n", output.ToString());
    }

    [Fact]
    public void EveryLineOfJsonIsAnsweredByOne()
    {
        var expected = new[] { "Grüße 🎉", "", "\n\"" }.Select(text => $"[{string.Join(',', _model.Tokenizer.Encode(text))}]\n");
        Assert.Equal(string.Concat(expected), Lines("\"Gr\\u00fcße 🎉\"\n\n\"\"\n\"\\n\\\"\""));
    }

    [Fact]
    public void SpecialTokensAreReadOnlyWhenAskedFor()
    {
        Assert.Equal("[1]\n", Lines("\"<|im_start|>\"", special: true));
        Assert.NotEqual("[1]\n", Lines("\"<|im_start|>\""));
    }

    [Theory]
    [InlineData("Hi")]
    [InlineData("5")]
    [InlineData("[\"Hi\"]")]
    [InlineData("\"Hi")]
    [InlineData("\"\\ud800\"")]
    public void ALineThatIsNoJsonStringIsNamed(string line)
    {
        var problem = Assert.Throws<UsageException>(() => Lines("\"Hi\"\n" + line));
        Assert.StartsWith("line 2 is no JSON string", problem.Message);
    }

    private string Lines(string input, bool special = false)
    {
        var output = new StringWriter { NewLine = "\n" };
        TokenizeCommand.TokenizeLines(_model.Tokenizer, new StringReader(input), output, special);
        return output.ToString();
    }
}
