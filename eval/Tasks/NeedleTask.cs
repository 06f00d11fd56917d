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

    /// <summary>Runs what is left of the trials with settings whose prompts come out the same, each read once.</summary>
    /// <param name="done">Trials that each setting has already.</param>
    /// <param name="found">Told of each trial of each setting, as it ends, how many answers were found.</param>
    public void Run(IReadOnlyList<Setting> settings, IReadOnlyList<int> done, Action<int, int> found)
    {
        var runs = settings.Select(setting => new ModelRun(model, setting, pattern, 1, length + AnswerRoom, options)).ToArray();
        try
        {
            for (var trial = done.Min(); trial < options.Trials; trial++)
            {
                int[] wanted = [.. Enumerable.Range(0, runs.Length).Where(i => done[i] <= trial)];
                var (prompt, first) = (prompts.Make(trial), runs[wanted[0]]);
                first.Restart(0);
                var next = TensorPrimitives.IndexOfMax(first.Prefill(0, prompt.Prompt));
                foreach (var i in wanted[1..]) runs[i].Adopt(first, 0);
                foreach (var i in wanted) found(i, Answer(runs[i], prompt, next));
            }
        }
        finally
        {
            foreach (var run in runs) run.Dispose();
        }
    }

    private int Answer(ModelRun run, NeedlePrompt prompt, int next)
    {
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
