using System.Numerics.Tensors;
using LServe.Model;

namespace LServe.Eval;

/// <summary>
/// Something hidden in a long prompt, found when the greedy answer is what was hidden, token by token. Trial i is the same for every
/// setting, so that results come in pairs.
/// </summary>
internal sealed class NeedleTask(ModelFile model, HeadPattern? pattern, NeedlePrompts prompts, int length, EvalOptions options)
{
    private const int AnswerRoom = 64;

    /// <summary>Runs the trials from <paramref name="first"/> on, and tells each as it ends.</summary>
    public void Run(Setting setting, int first, Action<int, bool> found)
    {
        using var run = new ModelRun(model, setting, pattern, 1, length + AnswerRoom, options);
        for (var trial = first; trial < options.Trials; trial++) found(trial, Try(run, trial));
    }

    private bool Try(ModelRun run, int trial)
    {
        var (prompt, answer) = prompts.Make(trial);
        run.Restart(0);
        var logits = run.Prefill(0, prompt);
        foreach (var token in answer)
        {
            if (TensorPrimitives.IndexOfMax(logits) != token) return false;
            logits = run.Decode(new[] { token });
        }
        return true;
    }
}
