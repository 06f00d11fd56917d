namespace LServe.Model;

/// <summary>
/// Tokens that end an answer: the one a file names, and those whose spelling says so. Files often name only one of several.
/// </summary>
internal static class EndTokens
{
    private static readonly string[] Spellings = ["<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|endoftext|>", "<|end_of_text|>", "</s>"];

    public static IReadOnlyList<int> Find(Vocabulary vocabulary, IEnumerable<int> named)
    {
        var specials = new SpecialTokens(vocabulary);
        var bySpelling = Spellings.Select(specials.Find).OfType<int>().Where(t => vocabulary.KindOf(t) == TokenKind.Control);
        return [.. named.Concat(bySpelling).Distinct()];
    }
}
