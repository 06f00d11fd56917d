using System.Text;
using LServe.Contracts;
using LServe.Contracts.OpenAi;

namespace LServe.Api.Turns;

/// <summary>Log probabilities in the older shape of text completions; counts the characters of one answer for its offsets.</summary>
internal sealed class TextLogprobs
{
    private int _offset;

    public CompletionLogprobs? Convert(IReadOnlyList<TokenLogprob>? tokens)
    {
        if (tokens is null)
            return null;
        var offsets = new int[tokens.Count];
        for (var i = 0; i < offsets.Length; i++)
        {
            offsets[i] = _offset;
            _offset += tokens[i].Text.Length;
        }
        return new([.. tokens.Select(Spell)], [.. tokens.Select(token => token.Logprob)], ConvertTop(tokens), offsets);
    }

    private static Dictionary<string, float>[]? ConvertTop(IReadOnlyList<TokenLogprob> tokens) =>
        tokens.All(token => token.Top is null) ? null : [.. tokens.Select(ByText)];

    // Two tokens may have one spelling; the likelier comes first and stays.
    private static Dictionary<string, float> ByText(TokenLogprob token)
    {
        var byText = new Dictionary<string, float>();
        foreach (var top in token.Top ?? [])
            byText.TryAdd(Spell(top), top.Logprob);
        return byText;
    }

    private static string Spell(TokenLogprob token)
    {
        if (!token.Text.Contains('\uFFFD'))
            return token.Text;
        var spelling = new StringBuilder("bytes:");
        foreach (var b in token.Bytes)
            spelling.Append($"\\x{b:x2}");
        return spelling.ToString();
    }
}
