using System.Numerics.Tensors;
using LServe.Model;

namespace LServe.Eval;

/// <summary>
/// Something hidden in a long prompt, found when it is in the greedy continuation; a number that was asked for alone, when the continuation
/// begins with it. Trial i is the same for every setting, so that results come in pairs.
/// </summary>
internal sealed class NeedleTask(ModelFile model, HeadPattern? pattern, NeedlePrompts prompts, NeedleKind kind, int length, EvalOptions options)
{
    private const int AnswerRoom = 64;

    /// <summary>Runs the trials from <paramref name="first"/> on, and tells of each, as it ends, how many answers were found.</summary>
    public void Run(Setting setting, int first, Action<int, int> found)
    {
        using var run = new ModelRun(model, setting, pattern, 1, length + AnswerRoom, options);
        for (var trial = first; trial < options.Trials; trial++) found(trial, Try(run, prompts.Make(trial)));
    }

    private int Try(ModelRun run, NeedlePrompt prompt)
    {
        run.Restart(0);
        var next = TensorPrimitives.IndexOfMax(run.Prefill(0, prompt.Prompt));
        var answer = new List<int>();
        while (answer.Count < AnswerRoom && !model.Tokenizer.EndTokens.Contains(next))
        {
            answer.Add(next);
            var text = model.Tokenizer.Decode(answer.ToArray()).TrimStart();
            if (kind.Answers() == 1 && !Agree(text, prompt.Answers[0])) return 0;
            if (Found(text, prompt) == prompt.Answers.Count) break;
            next = TensorPrimitives.IndexOfMax(run.Decode(new[] { next }));
        }
        return Found(model.Tokenizer.Decode(answer.ToArray()), prompt);
    }

    /// <summary>Whether one begins with the other.</summary>
    private static bool Agree(string text, string answer) =>
        text.StartsWith(answer, StringComparison.Ordinal) || answer.StartsWith(text, StringComparison.Ordinal);

    private static int Found(string text, NeedlePrompt prompt) => prompt.Answers.Count(answer => text.Contains(answer, StringComparison.Ordinal));
}
