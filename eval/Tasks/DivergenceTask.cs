using System.Diagnostics;
using LServe.Model;

namespace LServe.Eval;

/// <summary>
/// How far a setting's predictions are from dense ones: texts are read token by token in decode steps behind a prompt, whatever the
/// setting would have said, and every prediction is compared with the dense one at the same position.
/// </summary>
internal sealed class DivergenceTask(ModelFile model, HeadPattern? pattern, TextSet texts, DenseLogits dense, EvalOptions options)
{
    public DivergenceRow Run(Setting setting, IProgress<float> progress)
    {
        var (count, length, prompt) = (texts.Tokens.Length, texts.Tokens[0].Length, options.Prompt);
        var audit = new AttentionAudit();
        using var run = new ModelRun(model, setting, pattern, count, length, options, audit);
        // Token prompt − 1 is a decode step already: it predicts the first compared token.
        for (var text = 0; text < count; text++) run.Prefill(text, texts.Tokens[text].AsSpan(0, prompt - 1));
        var (sum, watch) = (new Comparison(run.Vocabulary), Stopwatch.StartNew());
        var (expected, tokens) = (new float[run.Vocabulary], new int[count]);
        for (var position = 0; position < length - prompt; position++)
        {
            for (var text = 0; text < count; text++) tokens[text] = texts.Tokens[text][prompt - 1 + position];
            var logits = run.Decode(tokens);
            for (var text = 0; text < count; text++)
            {
                dense.Read(text, position, expected);
                sum.Add(expected, logits.Slice(text * run.Vocabulary, run.Vocabulary), texts.Tokens[text][prompt + position]);
            }
            progress.Report((position + 1f) / (length - prompt));
        }
        return sum.Row(setting, watch.Elapsed.TotalSeconds) with { OutputError = audit.Error, Mass = audit.Mass, RetrievalMass = audit.RetrievalMass };
    }
}
