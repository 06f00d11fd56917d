using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using LServe.Model;

namespace LServe.Tests.Unit.Model;

/// <summary>
/// The scanners against the regular expressions they stand for, on text without surrogate pairs, which .NET's engine doesn't know.
/// </summary>
public class PreTokenizerTests
{
    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    private const string Llama3 = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private static readonly Arbitrary<string> Texts = Gen.OneOf(
            Gen.Elements(" ", "  ", "\n", "\r", "\t", "'", "'s", "'S", "'ll", "'LL", "'re", "a", "Z", "é", "日", "1", "9", "½", "٣", "!", ".", "_", "\u00A0", "\u3000", "\u2028", "\u0085"),
            Gen.Choose(0, 0xFFFF).Where(c => !char.IsSurrogate((char)c) && c != 'ſ').Select(c => ((char)c).ToString()))
        .ListOf().Select(string.Concat).ToArbitrary();

    [Fact]
    public void Gpt2_cuts_as_its_expression() => Check(new Gpt2PreTokenizer(digitsApart: false), text => Words(Gpt2, text));

    [Fact]
    public void SmolLM_sets_digits_apart_and_cuts_the_rest_as_Gpt2() => Check(new Gpt2PreTokenizer(digitsApart: true),
        text => Regex.Split(text, @"(\p{N})").Where(part => part.Length > 0).SelectMany(part => Words(Gpt2, part)));

    [Fact]
    public void Llama3_cuts_as_its_expression() => Check(new Llama3PreTokenizer(maxDigits: 3), text => Words(Llama3, text));

    [Fact]
    public void Qwen2_cuts_as_its_expression() =>
        Check(new Llama3PreTokenizer(maxDigits: 1), text => Words(Llama3.Replace("{1,3}", ""), text));

    [Fact]
    public void Letters_beyond_the_basic_plane_are_letters() =>
        Assert.Equal([" 𝕳𝖊𝖑", " 𐍈", "👍"], Cut(new Gpt2PreTokenizer(digitsApart: false), " 𝕳𝖊𝖑 𐍈👍"));

    private static void Check(IPreTokenizer scanner, Func<string, IEnumerable<string>> expected)
    {
        var config = Config.QuickThrowOnFailure.WithMaxTest(400);
        Prop.ForAll(Texts, text => Cut(scanner, text).SequenceEqual(expected(text))).Check(config);
    }

    private static IEnumerable<string> Words(string expression, string text) =>
        Regex.Matches(text, expression, RegexOptions.CultureInvariant).Select(m => m.Value);

    private static List<string> Cut(IPreTokenizer scanner, string text)
    {
        var words = new List<string>();
        while (text.Length > 0)
        {
            var length = scanner.NextWord(text);
            words.Add(text[..length]);
            text = text[length..];
        }
        return words;
    }
}
