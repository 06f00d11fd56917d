using System.Text.Json;
using LServe.Model;
using LServe.Tests.Support;

namespace LServe.Tests.Unit.Model;

/// <summary>Strings with the ids that another tokenizer of the same vocabulary gives.</summary>
internal static class TokenizerCase
{
    public static void CheckAll(ITokenizer tokenizer, string file)
    {
        var problems = JsonDocument.Parse(File.ReadAllText(RepositoryFiles.Reference("tokenizers", file))).RootElement.EnumerateArray()
            .SelectMany(c => Check(tokenizer, c)).ToArray();
        Assert.True(problems.Length == 0, string.Join("\n", problems));
    }

    private static IEnumerable<string> Check(ITokenizer tokenizer, JsonElement c)
    {
        var text = c.GetProperty("text").GetString()!;
        var ids = Ids(c, "ids");
        var plain = c.TryGetProperty("ids_as_plain_text", out _) ? Ids(c, "ids_as_plain_text") : ids;
        if (!tokenizer.Encode(text, parseSpecial: true).SequenceEqual(ids))
            yield return Show(text, "as markup", ids, tokenizer.Encode(text, true));
        if (!tokenizer.Encode(text).SequenceEqual(plain)) yield return Show(text, "as plain text", plain, tokenizer.Encode(text));
        var decoded = c.GetProperty("decoded").GetString();
        if (tokenizer.Decode(ids, withSpecial: true) != decoded)
            yield return $"{JsonSerializer.Serialize(tokenizer.Decode(ids, true))} instead of {JsonSerializer.Serialize(decoded)}";
    }

    private static int[] Ids(JsonElement c, string name) => [.. c.GetProperty(name).EnumerateArray().Select(e => e.GetInt32())];

    private static string Show(string text, string how, int[] expected, int[] actual) =>
        $"{JsonSerializer.Serialize(text)} {how}: [{string.Join(' ', actual)}] instead of [{string.Join(' ', expected)}]";
}
