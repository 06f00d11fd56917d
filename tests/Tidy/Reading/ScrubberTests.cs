namespace LServe.Tests.Tidy;

public class ScrubberTests
{
    [Theory]
    [InlineData("a // b\nc", "a     \nc")]
    [InlineData("a /* b\n */ c", "a     \n    c")]
    [InlineData("f(\"x // y\") // z", "f(        )     ")]
    [InlineData("c == '\"' + d", "c ==     + d")]
    [InlineData("c == '\\'' + d", "c ==      + d")]
    [InlineData("$\"{a[\"b\"]} c\" + d", "$             + d")]
    [InlineData("@\"a\\\" + b", "@     + b")]
    [InlineData("\"\"\"a \" b\"\"\" + c", "            + c")]
    public void BlanksCommentsAndLiterals(string text, string expected) => Assert.Equal(expected, Scrubber.Blank(text, comments: true, strings: true));

    [Fact]
    public void KeepsWhatItIsToldToKeep() => Assert.Equal("f(\"x // y\")     ", Scrubber.Blank("f(\"x // y\") // z", comments: true, strings: false));
}
