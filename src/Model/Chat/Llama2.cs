namespace LServe.Model;

/// <summary>
/// Llama 2: a question between <c>[INST]</c> and <c>[/INST]</c>, the system message inside the first one; each pair between begin and end
/// tokens.
/// </summary>
internal sealed class Llama2(string begin, string end) : ChatTemplate
{
    public override string Name => "Llama 2";

    public override IReadOnlyList<TemplateSegment> Render(IReadOnlyList<ChatTurn> turns, bool generationPrompt)
    {
        Alternation.Check(turns.Select(t => t.Role));
        return Write(new SegmentWriter(), turns);
    }

    public override IReadOnlyList<TemplateSegment> RenderContinuation(IReadOnlyList<string> before, IReadOnlyList<ChatTurn> turns)
    {
        Alternation.Check(before.Concat(turns.Select(t => t.Role)));
        return Write(new SegmentWriter().Markup(" " + end), turns);
    }

    private IReadOnlyList<TemplateSegment> Write(SegmentWriter output, IReadOnlyList<ChatTurn> turns)
    {
        string? system = null;
        foreach (var turn in turns)
            if (turn.Role == "system") system = turn.Content;
            else if (turn.Role == "assistant") output.Markup(" ").Content(turn.Content.Trim()).Markup(" " + end);
            else
            {
                WriteQuestion(output, system, turn.Content);
                system = null;
            }
        return output.Segments;
    }

    /// <summary>The template trims the system message and the question as one text.</summary>
    private void WriteQuestion(SegmentWriter output, string? system, string question)
    {
        output.Markup(begin + "[INST] ");
        if (system is null) output.Content(question.Trim());
        else output.Markup("<<SYS>>\n").Content(system).Markup("\n<</SYS>>\n\n").Content(question.TrimEnd());
        output.Markup(" [/INST]");
    }
}
