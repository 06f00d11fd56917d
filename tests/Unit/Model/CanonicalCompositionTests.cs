using LServe.Model;

namespace LServe.Tests.Unit.Model;

/// <summary>Normal form C; the cases are those that Unicode Standard Annex #15 explains, and the corners of the algorithm.</summary>
public class CanonicalCompositionTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("e\u0301", "é")]
    [InlineData("\u212B", "\u00C5")] // Ångström sign
    [InlineData("\u2126", "\u03A9")] // Ohm sign
    [InlineData("\uFB01", "\uFB01")] // a compatibility ligature stays
    [InlineData("\u1E0B\u0323", "\u1E0D\u0307")] // d with dots above and below
    [InlineData("q\u0307\u0323", "q\u0323\u0307")] // marks in their order
    [InlineData("\u1E9B\u0323", "\u1E9B\u0323")]
    [InlineData("\u0344", "\u0308\u0301")] // never composes again
    [InlineData("\u0958", "\u0915\u093C")] // excluded from composition
    [InlineData("\u1100\u1161", "\uAC00")] // Hangul syllables
    [InlineData("\u1100\u1161\u11A8", "\uAC01")]
    [InlineData("\uAC00\u11A8", "\uAC01")]
    [InlineData("\uAC01\u11A8", "\uAC01\u11A8")]
    [InlineData("a\u05AE\u0300", "à\u05AE")] // a lower class between doesn't block
    [InlineData("a\u0315\u0300", "à\u0315")]
    [InlineData("a\u0301\u0300", "á\u0300")] // one of the same class does
    [InlineData("\u0301e", "\u0301e")] // a mark without anything before it
    [InlineData("\U0001D15E", "\U0001D157\U0001D165")] // a musical symbol
    public void Text_is_composed(string text, string composed)
    {
        Assert.Equal(composed, CanonicalComposition.Compose(text));
        Assert.Equal(composed, CanonicalComposition.Compose(composed));
    }

    [Fact]
    public void Text_of_the_western_European_languages_needs_no_look()
    {
        Assert.True(CanonicalComposition.IsComposed("Zürich, Łódź, ſ"));
        Assert.False(CanonicalComposition.IsComposed("e\u0301"));
    }
}
