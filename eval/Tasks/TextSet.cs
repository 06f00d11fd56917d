using System.Security.Cryptography;
using System.Text;
using LServe.Model;

namespace LServe.Eval;

/// <summary>Long texts of a folder (<c>*.txt</c>), as tokens, by name.</summary>
internal sealed class TextSet
{
    private TextSet(string[] names, int[][] tokens) => (Names, Tokens) = (names, tokens);

    public string[] Names { get; }
    public int[][] Tokens { get; }

    /// <exception cref="ArgumentException">The folder has no texts.</exception>
    public static TextSet Read(string folder, ITokenizer tokenizer)
    {
        if (!Directory.Exists(folder)) throw new ArgumentException($"There is no folder {folder}; name one with long *.txt files with --texts.");
        string[] files = [.. Directory.GetFiles(folder, "*.txt").Order(StringComparer.Ordinal)];
        if (files.Length == 0) throw new ArgumentException($"{folder} has no *.txt files.");
        return new([.. files.Select(f => Path.GetFileNameWithoutExtension(f))], [.. files.Select(f => Encode(tokenizer, File.ReadAllText(f)))]);
    }

    /// <summary>The first <paramref name="count"/> texts of at least <paramref name="length"/> tokens, cut to it.</summary>
    /// <exception cref="ArgumentException">There are not so many.</exception>
    public TextSet Cut(int count, int length)
    {
        int[] long_ = [.. Enumerable.Range(0, Names.Length).Where(i => Tokens[i].Length >= length).Take(count)];
        if (long_.Length < count) throw new ArgumentException($"Only {long_.Length} texts have {length} tokens; take fewer with --count, or shorter ones with --length.");
        return new([.. long_.Select(i => Names[i])], [.. long_.Select(i => Tokens[i][..length])]);
    }

    /// <summary>Equal for equal tokens.</summary>
    public string Hash()
    {
        var text = new StringBuilder();
        foreach (var tokens in Tokens) text.AppendJoin(' ', tokens).Append('\n');
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text.ToString())))[..16];
    }

    private static int[] Encode(ITokenizer tokenizer, string text) =>
        tokenizer.BeginToken is { } begin ? [begin, .. tokenizer.Encode(text)] : tokenizer.Encode(text);
}
