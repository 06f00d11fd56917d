using System.Text;
using System.Text.RegularExpressions;
using LServe.Model;

namespace LServe.Eval;

/// <summary>Lists of words of the texts, in which some come more often than others (RULER, arXiv 2404.06654, section 3: aggregation).</summary>
internal sealed partial class WordLists(TextSet texts, ITokenizer tokenizer)
{
    private const int CommonWords = 10, CommonTimes = 30, OtherTimes = 3, FrequentAnswers = 3;
    private const double ZipfExponent = 2;

    private readonly Lazy<string[]> _words = new(() =>
        [.. texts.Tokens.SelectMany(tokens => Words().Matches(tokenizer.Decode(tokens)).Select(match => match.Value)).Distinct(StringComparer.Ordinal)]);

    /// <summary>At least <paramref name="tokens"/> tokens of numbered words, shuffled.</summary>
    public (string Text, string Question, string[] Answers) Common(Random random, int tokens)
    {
        var words = Shuffled(random);
        // A numbered word takes at least four tokens: digits are single ones.
        var others = Math.Min(words.Length - CommonWords, Math.Max(1, (tokens / 4 - CommonWords * CommonTimes) / OtherTimes + 1));
        var list = words.Take(CommonWords).SelectMany(word => Enumerable.Repeat(word, CommonTimes))
            .Concat(words.Skip(CommonWords).Take(others).SelectMany(word => Enumerable.Repeat(word, OtherTimes))).ToArray();
        random.Shuffle(list);
        var text = new StringBuilder("Below is a numbered list of words. Some of them come more often than the others.\n");
        for (var i = 0; i < list.Length; i++) text.Append(i + 1).Append(". ").Append(list[i]).Append(' ');
        return (text.ToString(), "The ten most common words in the list are:", words[..CommonWords]);
    }

    /// <summary>At least <paramref name="tokens"/> tokens of words, the n-th of which comes with a probability ∝ n⁻².</summary>
    public (string Text, string Question, string[] Answers) Frequent(Random random, int tokens)
    {
        var words = Shuffled(random);
        var sums = new double[words.Length];
        for (var i = 0; i < sums.Length; i++) sums[i] = (i == 0 ? 0 : sums[i - 1]) + Math.Pow(i + 1, -ZipfExponent);
        var text = new StringBuilder("Below is a text in code. Its words come more or less often.\n");
        for (var i = 0; i < tokens; i++)
        {
            var found = Array.BinarySearch(sums, random.NextDouble() * sums[^1]);
            text.Append(words[Math.Min(found < 0 ? ~found : found, words.Length - 1)]).Append(' ');
        }
        return (text.ToString(), "The three most frequent words in the text are:", words[..FrequentAnswers]);
    }

    private string[] Shuffled(Random random)
    {
        var words = (string[])_words.Value.Clone();
        random.Shuffle(words);
        return words;
    }

    [GeneratedRegex("\\b[a-z]{4,8}\\b")]
    private static partial Regex Words();
}
