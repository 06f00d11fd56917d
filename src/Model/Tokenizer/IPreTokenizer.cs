namespace LServe.Model;

/// <summary>Cuts text into the words that BPE never merges across.</summary>
internal interface IPreTokenizer
{
    /// <summary>Characters of the first word, at least one, given the whole rest of the text (never empty).</summary>
    int NextWord(ReadOnlySpan<char> text);
}
