using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using LServe.Model;

namespace LServe.Cli;

/// <summary><c>lserve tokenize</c>: text to token ids.</summary>
internal static class TokenizeCommand
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    public static Command Create()
    {
        var model = CommonOptions.Model();
        var special = new Option<bool>("--special") { Description = "Read the spellings of special tokens, such as <|im_start|>, as those tokens" };
        var jsonl = new Option<bool>("--jsonl") { Description = "One JSON string a line in, one JSON array of ids a line out" };
        var text = new Argument<string?>("text") { Description = "The text. Default: all of standard input, its last line break included", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("tokenize", "Turn text into token ids") { text, model, special, jsonl };
        command.SetAction(parsed =>
        {
            using var file = ModelFile.Open(BundledModel.Resolve(parsed.GetValue(model)));
            using var input = new StreamReader(Console.OpenStandardInput(), Utf8, detectEncodingFromByteOrderMarks: false);
            using var output = new StreamWriter(Console.OpenStandardOutput(), Utf8) { NewLine = "\n" };
            if (parsed.GetValue(jsonl)) TokenizeLines(file.Tokenizer, input, output, parsed.GetValue(special));
            else TokenizeAll(file.Tokenizer, parsed.GetValue(text) ?? input.ReadToEnd(), output, parsed.GetValue(special));
        });
        return command;
    }

    internal static void TokenizeAll(ITokenizer tokenizer, string text, TextWriter output, bool special) =>
        output.WriteLine(Join(tokenizer.Encode(text, special), ' '));

    /// <summary>Answers each line before it reads the next, so that a program can talk with this one through pipes.</summary>
    internal static void TokenizeLines(ITokenizer tokenizer, TextReader input, TextWriter output, bool special)
    {
        for (var line = 1; input.ReadLine() is { } json; line++)
        {
            if (json.Length == 0) continue;
            output.WriteLine($"[{Join(tokenizer.Encode(TextOf(json, line), special), ',')}]");
            output.Flush();
        }
    }

    private static string TextOf(string json, int line)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind == JsonValueKind.String) return document.RootElement.GetString()!;
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            throw new UsageException($"line {line} is no JSON string: {problem.Message}");
        }
        throw new UsageException($"line {line} is no JSON string; write each text in quotes, with \\n for a line break.");
    }

    private static string Join(int[] ids, char separator) => string.Join(separator, ids.Select(id => id.ToString(CultureInfo.InvariantCulture)));
}
