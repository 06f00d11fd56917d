using System.Globalization;
using LServe.Model;

namespace LServe.Cli.Calibration;

/// <summary>
/// Prompts from a seed: consecutive lines of the filler (this project's own documents) with sentences between them that nothing around
/// them foretells, and at the end each sentence's beginning once more, with its end as the answer.
/// </summary>
internal sealed class PromptGenerator(ITokenizer tokenizer, int seed)
{
    private const int Needles = 4, CodeDigits = 7, TextRowStride = 16;

    /// <summary>Share of the text in which needles lie: the last one has left every local window when it is asked for.</summary>
    private const double NeedleStart = 0.08, NeedleEnd = 0.72;

    private static readonly string[] Places = ["Lisbon", "Nairobi", "Oslo", "Quito", "Hanoi", "Dublin", "Perth", "Tunis", "Lima", "Riga", "Accra", "Kyoto"];
    private static readonly string[] Lines = ReadFiller();

    private readonly Random _random = new(seed);

    /// <param name="tokens">Of the text; questions and answers come on top.</param>
    /// <param name="firstRow">First row that is compared: earlier ones look the same to streaming heads.</param>
    public CalibrationPrompt Next(int tokens, int firstRow)
    {
        var needles = Draw();
        var ids = new List<int>();
        if (tokenizer.BeginToken is { } begin) ids.Add(begin);
        WriteText(ids, tokens, needles);
        int[] textRows = [.. Enumerable.Range(0, ids.Count).Where(row => row >= firstRow && row % TextRowStride == 0)];
        var answerRows = new List<int>();
        foreach (var (sentence, code) in needles.OrderBy(_ => _random.Next()))
        {
            tokenizer.EncodeContinuation("\n" + sentence, ids);
            var first = ids.Count - 1;
            tokenizer.EncodeContinuation(" " + code, ids);
            answerRows.AddRange(Enumerable.Range(first, ids.Count - 1 - first));
        }
        return new([.. ids], textRows, [.. answerRows]);
    }

    private (string Sentence, string Code)[] Draw()
    {
        var places = (string[])Places.Clone();
        _random.Shuffle(places);
        return [.. places.Take(Needles).Select(place => ($"The secret code of the office in {place} is", Code()))];
    }

    private string Code() => string.Concat(Enumerable.Range(0, CodeDigits).Select(_ => _random.Next(10).ToString(CultureInfo.InvariantCulture)));

    private void WriteText(List<int> ids, int tokens, (string Sentence, string Code)[] needles)
    {
        var line = _random.Next(Lines.Length);
        for (var needle = 0; ids.Count < tokens; line = (line + 1) % Lines.Length)
        {
            if (needle < needles.Length && ids.Count >= tokens * (NeedleStart + (NeedleEnd - NeedleStart) * needle / (needles.Length - 1)))
            {
                var (sentence, code) = needles[needle++];
                tokenizer.EncodeContinuation($"{sentence} {code}.\n", ids);
            }
            tokenizer.EncodeContinuation(Lines[line] + "\n", ids);
        }
    }

    private static string[] ReadFiller()
    {
        using var stream = typeof(PromptGenerator).Assembly.GetManifestResourceStream("filler.txt") ?? throw new InvalidOperationException("The filler text is missing.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().TrimEnd().Split('\n');
    }
}
