using System.Globalization;
using LServe.Model;

namespace LServe.Eval;

/// <summary>
/// One sentence with a number in ordinary text, at a seeded depth; at the end its beginning once more. Found when the greedy answer is
/// the number, digit by digit. Trial i is the same for every setting, so that results come in pairs.
/// </summary>
internal sealed class NeedleTask(ModelFile model, HeadPattern? pattern, TextSet texts, int length, EvalOptions options)
{
    private const int Digits = 7;
    private static readonly string[] Places = ["Lisbon", "Nairobi", "Oslo", "Quito", "Hanoi", "Dublin", "Perth", "Tunis", "Lima", "Riga", "Accra", "Kyoto"];

    /// <summary>Runs the trials that are not known yet, and tells each as it ends.</summary>
    public void Run(Setting setting, int first, Action<int, bool> found)
    {
        using var run = new ModelRun(model, setting, pattern, 1, length + Digits, options.Threads);
        for (var trial = first; trial < options.Trials; trial++) found(trial, Try(run, trial));
    }

    /// <summary>The prompt of exactly <c>length</c> tokens, and the answer's tokens.</summary>
    internal (int[] Prompt, int[] Answer) Make(int trial)
    {
        var random = new Random(SeedOf(length, trial, options.Seed));
        var sentence = $"The secret code of the office in {Places[random.Next(Places.Length)]} is";
        var code = string.Concat(Enumerable.Range(0, Digits).Select(_ => random.Next(10).ToString(CultureInfo.InvariantCulture)));
        var (needle, question, answer) = (Continue($"\n{sentence} {code}.\n"), Continue($"\n{sentence}"), Continue($" {code}"));
        var text = texts.Tokens[random.Next(texts.Tokens.Length)];
        var room = length - needle.Length - question.Length;
        if (text.Length < room) throw new ArgumentException($"Prompts of {length} tokens need texts of {room}; there is one of {text.Length}.");
        var start = random.Next(text.Length - room + 1);
        var depth = random.Next(room / 20, room - room / 10);
        return ([.. text.AsSpan(start, depth), .. needle, .. text.AsSpan(start + depth, room - depth), .. question], answer);
    }

    private bool Try(ModelRun run, int trial)
    {
        var (prompt, answer) = Make(trial);
        run.Restart(0);
        var logits = run.Prefill(0, prompt);
        foreach (var token in answer)
        {
            if (System.Numerics.Tensors.TensorPrimitives.IndexOfMax(logits) != token) return false;
            logits = run.Decode(new[] { token });
        }
        return true;
    }

    private int[] Continue(string text)
    {
        var ids = new List<int>();
        model.Tokenizer.EncodeContinuation(text, ids);
        return [.. ids];
    }

    /// <summary>Not <see cref="HashCode"/>, which differs from run to run.</summary>
    private static int SeedOf(int length, int trial, int seed) => unchecked((seed * 31 + length) * 7919 + trial * 104_729);
}
