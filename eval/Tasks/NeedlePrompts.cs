using System.Globalization;
using LServe.Model;

namespace LServe.Eval;

/// <param name="Answers">What is looked for in the greedy continuation.</param>
internal sealed record NeedlePrompt(int[] Prompt, IReadOnlyList<string> Answers);

/// <summary>Prompts of exactly <paramref name="length"/> tokens, and their answers; a trial's is a function of its number and the seed.</summary>
internal sealed class NeedlePrompts(ITokenizer tokenizer, TextSet texts, NeedleKind kind, int length, int seed)
{
    private const int Digits = 7, Keys = 4, PasskeyDepths = 10;
    private const string Filler = "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.\n";
    private static readonly string[] Places = ["Lisbon", "Nairobi", "Oslo", "Quito", "Hanoi", "Dublin", "Perth", "Tunis", "Lima", "Riga", "Accra", "Kyoto"];

    private readonly WordLists _lists = new(texts, tokenizer);

    public NeedlePrompt Make(int trial)
    {
        var random = new Random(unchecked((seed * 31 + length) * 7919 + trial * 104_729 + (int)kind));
        if (kind.IsList()) return MakeList(random);
        var (sentences, question, answers) = Write(random);
        var (needles, asked) = (sentences.Select(s => Encode($"\n{s}\n")).ToArray(), Encode($"\n{question}"));
        var room = length - asked.Length - needles.Sum(n => n.Length);
        var text = kind == NeedleKind.Passkey ? Repeat(room) : Text(random, room);
        var prompt = new List<int>(length);
        var from = 0;
        foreach (var (needle, depth) in needles.Zip(Depths(random, trial, needles.Length, room)))
        {
            prompt.AddRange(text.AsSpan(from, depth - from));
            prompt.AddRange(needle);
            from = depth;
        }
        return new([.. prompt, .. text.AsSpan(from), .. asked], answers);
    }

    /// <summary>A list is as long as there is room; what is cut off its end changes no order of frequencies.</summary>
    private NeedlePrompt MakeList(Random random)
    {
        var (text, question, answers) = kind == NeedleKind.CommonWords ? _lists.Common(random, length) : _lists.Frequent(random, length);
        var (list, asked) = (Encode(text), Encode($"\n{question}"));
        if (list.Length < length - asked.Length) throw new ArgumentException($"Prompts of {length} tokens need longer lists of words; take shorter ones.");
        return new([.. list.AsSpan(0, length - asked.Length), .. asked], answers);
    }

    private (string[] Sentences, string Question, string[] Answers) Write(Random random)
    {
        var code = Code(random);
        switch (kind)
        {
            case NeedleKind.Passkey:
                return ([$"The pass key is {code}. Remember it. {code} is the pass key."], "What is the pass key? The pass key is", [code]);
            case NeedleKind.Variables:
                return ([$"The value of alpha is {code}.", "The value of beta is the value of alpha.", "The value of gamma is the value of beta."],
                    "The values of alpha, beta and gamma are the same. The value of gamma is", [code]);
        }
        var places = (string[])Places.Clone();
        random.Shuffle(places);
        string[] codes = [code, .. Enumerable.Range(1, Keys - 1).Select(_ => Code(random))];
        if (kind == NeedleKind.MultiValue)
            return ([.. codes.Select(c => $"One of the secret codes of the office in {places[0]} is {c}.")], $"The four secret codes of the office in {places[0]} are", codes);
        if (kind == NeedleKind.MultiQuery)
            return ([.. codes.Select((c, i) => $"{Key(places[i])} {c}.")], $"The secret codes of the offices in {places[0]}, {places[1]}, {places[2]} and {places[3]} are", codes);
        var others = kind == NeedleKind.MultiKey ? Keys - 1 : 0;
        string[] sentences = [$"{Key(places[0])} {code}.", .. Enumerable.Range(1, others).Select(i => $"{Key(places[i])} {codes[i]}.")];
        random.Shuffle(sentences);
        return (sentences, Key(places[0]), [code]);
    }

    private static string Key(string place) => $"The secret code of the office in {place} is";

    private static string Code(Random random) => string.Concat(Enumerable.Range(0, Digits).Select(_ => random.Next(10).ToString(CultureInfo.InvariantCulture)));

    /// <summary>Ascending places in the text, neither in its first twentieth nor in its last tenth.</summary>
    private int[] Depths(Random random, int trial, int count, int room)
    {
        if (kind == NeedleKind.Passkey) return [(int)((trial % PasskeyDepths + 0.5) / PasskeyDepths * room)];
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(room / 20, room - room / 10)).Order()];
    }

    private int[] Text(Random random, int room)
    {
        var text = texts.Tokens[random.Next(texts.Tokens.Length)];
        if (text.Length < room) throw new ArgumentException($"Prompts of {length} tokens need texts of {room}; there is one of {text.Length}.");
        return text.AsSpan(random.Next(text.Length - room + 1), room).ToArray();
    }

    private int[] Repeat(int room)
    {
        var sentence = Encode(Filler);
        return [.. Enumerable.Range(0, room).Select(i => sentence[i % sentence.Length])];
    }

    private int[] Encode(string text)
    {
        var ids = new List<int>();
        tokenizer.EncodeContinuation(text, ids);
        return [.. ids];
    }
}
