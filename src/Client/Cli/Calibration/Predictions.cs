using System.Numerics.Tensors;

namespace LServe.Cli.Calibration;

/// <summary>Predictions of a dense pass at the rows of a prompt that matter, and how far others are from them.</summary>
internal sealed class Predictions
{
    /// <summary>
    /// Few rows have answers, so that their loss is noise of ten times the divergence of a typical head; and a head without which answers
    /// happen to be likelier may still matter to the text.
    /// </summary>
    private const double AnswerWeight = 0.1;

    private readonly CalibrationPrompt _prompt;
    private readonly int _vocabulary;
    private readonly float[] _probabilities;
    private readonly double _negativeEntropy, _answerLoss;

    /// <param name="logits">[text rows, then answer rows; vocabulary] of the dense pass.</param>
    public Predictions(CalibrationPrompt prompt, ReadOnlySpan<float> logits)
    {
        (_prompt, _vocabulary) = (prompt, logits.Length / (prompt.TextRows.Length + prompt.AnswerRows.Length));
        _probabilities = new float[prompt.TextRows.Length * _vocabulary];
        for (var i = 0; i < prompt.TextRows.Length; i++)
        {
            var row = logits.Slice(i * _vocabulary, _vocabulary);
            var probabilities = _probabilities.AsSpan(i * _vocabulary, _vocabulary);
            TensorPrimitives.SoftMax(row, probabilities);
            _negativeEntropy += ExpectedLogProbability(probabilities, row) / prompt.TextRows.Length;
        }
        _answerLoss = AnswerLoss(logits);
    }

    /// <summary>Mean negative log-likelihood of an answer's token, in nats.</summary>
    public double DenseAnswerLoss => _answerLoss;

    /// <summary>
    /// What another pass loses, in nats: Kullback-Leibler divergence of its predictions in the text, plus a tenth of the rise of the answers'
    /// negative log-likelihood, each as the mean over its rows.
    /// </summary>
    public double LossOf(ReadOnlySpan<float> logits)
    {
        var crossEntropy = 0.0;
        for (var i = 0; i < _prompt.TextRows.Length; i++)
            crossEntropy -= ExpectedLogProbability(_probabilities.AsSpan(i * _vocabulary, _vocabulary), logits.Slice(i * _vocabulary, _vocabulary)) / _prompt.TextRows.Length;
        return _negativeEntropy + crossEntropy + AnswerWeight * Math.Max(0, AnswerLoss(logits) - _answerLoss);
    }

    private double AnswerLoss(ReadOnlySpan<float> logits)
    {
        var loss = 0.0;
        for (var i = 0; i < _prompt.AnswerRows.Length; i++)
        {
            var row = logits.Slice((_prompt.TextRows.Length + i) * _vocabulary, _vocabulary);
            loss += LogSum(row, out var max) + max - row[_prompt.Tokens[_prompt.AnswerRows[i] + 1]];
        }
        return loss / _prompt.AnswerRows.Length;
    }

    /// <summary>Σ p · log softmax(logits).</summary>
    private static double ExpectedLogProbability(ReadOnlySpan<float> probabilities, ReadOnlySpan<float> logits)
    {
        var logSum = LogSum(logits, out var max);
        var expected = 0.0;
        for (var i = 0; i < logits.Length; i++) expected += probabilities[i] * (logits[i] - max - logSum);
        return expected;
    }

    /// <summary>log Σ exp(logits − max).</summary>
    private static double LogSum(ReadOnlySpan<float> logits, out float max)
    {
        max = TensorPrimitives.Max(logits);
        Span<float> exponentials = new float[logits.Length];
        TensorPrimitives.Subtract(logits, max, exponentials);
        TensorPrimitives.Exp<float>(exponentials, exponentials);
        return Math.Log(TensorPrimitives.Sum<float>(exponentials));
    }
}
