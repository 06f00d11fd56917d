namespace LServe.Cli.Calibration;

/// <summary>A text with needles in it, questions for them, and their answers.</summary>
/// <param name="TextRows">Ascending rows within the text, where predictions are compared as a whole.</param>
/// <param name="AnswerRows">Ascending rows after the text, each predicting a token of an answer: the one that follows it.</param>
internal sealed record CalibrationPrompt(int[] Tokens, int[] TextRows, int[] AnswerRows)
{
    /// <summary>All rows whose logits are wanted, ascending: of the text, then of the answers.</summary>
    public IEnumerable<int> LogitRows => TextRows.Concat(AnswerRows);
}
