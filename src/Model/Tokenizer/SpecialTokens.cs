using System.Buffers;
using System.Text;

namespace LServe.Model;

/// <summary>Finds the spellings of special tokens in text: the leftmost, and of those that start there the longest.</summary>
internal sealed class SpecialTokens
{
    /// <summary>Tokens.</summary>
    public const int MaxTokens = 16_384;

    /// <summary>Bytes of a spelling; a longer one is never found.</summary>
    public const int MaxSpellingBytes = 512;

    private readonly record struct Spelling(string Text, int Token);

    private readonly Dictionary<char, Spelling[]> _byFirst;
    private readonly SearchValues<char> _firsts;

    public SpecialTokens(Vocabulary vocabulary)
    {
        _byFirst = Spellings(vocabulary)
            .GroupBy(s => s.Text[0])
            .ToDictionary(g => g.Key, g => g.OrderByDescending(s => s.Text.Length).ToArray());
        _firsts = SearchValues.Create([.. _byFirst.Keys]);
    }

    public bool TryFind(ReadOnlySpan<char> text, out int start, out int length, out int token)
    {
        for (start = 0; ; start++)
        {
            var offset = text[start..].IndexOfAny(_firsts);
            if (offset < 0) break;
            start += offset;
            foreach (var spelling in _byFirst[text[start]])
                if (text[start..].StartsWith(spelling.Text))
                {
                    (length, token) = (spelling.Text.Length, spelling.Token);
                    return true;
                }
        }
        (length, token) = (0, -1);
        return false;
    }

    /// <summary>The token that is spelled so, or null.</summary>
    public int? Find(string spelling)
    {
        if (spelling.Length == 0 || !_byFirst.TryGetValue(spelling[0], out var candidates)) return null;
        foreach (var candidate in candidates)
            if (candidate.Text == spelling)
                return candidate.Token;
        return null;
    }

    private static IEnumerable<Spelling> Spellings(Vocabulary vocabulary)
    {
        var found = 0;
        for (var token = 0; token < vocabulary.Count && found < MaxTokens; token++)
        {
            if (!vocabulary.IsMarkup(token) || vocabulary[token].Length is 0 or > MaxSpellingBytes) continue;
            found++;
            yield return new Spelling(Encoding.UTF8.GetString(vocabulary[token]), token);
        }
    }
}
