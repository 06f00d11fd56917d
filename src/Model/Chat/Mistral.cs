namespace LServe.Model;

/// <summary>
/// Mistral: a question between <c>[INST]</c> and <c>[/INST]</c>, answers closed by the end token, one begin token in all.
/// </summary>
internal sealed class Mistral(string begin, string end, MistralStyle style) : ChatTemplate
{
    public override string Name => "Mistral";

    public override IReadOnlyList<TemplateSegment> Render(IReadOnlyList<ChatTurn> turns, bool generationPrompt)
    {
        Check(turns.Select(t => t.Role));
        return Write(new SegmentWriter().Markup(begin), turns);
    }

    public override IReadOnlyList<TemplateSegment> RenderContinuation(IReadOnlyList<string> before, IReadOnlyList<ChatTurn> turns)
    {
        Check(before.Concat(turns.Select(t => t.Role)));
        return Write(new SegmentWriter().Markup(end + style.AnswerEnd), turns);
    }

    private void Check(IEnumerable<string> roles)
    {
        var all = roles.ToArray();
        Alternation.Check(all);
        if (style.System == MistralSystem.Refused && all.Contains("system"))
            throw new ChatTemplateException("Only user and assistant roles are supported.");
    }

    private IReadOnlyList<TemplateSegment> Write(SegmentWriter output, IReadOnlyList<ChatTurn> turns)
    {
        var system = turns.FirstOrDefault(t => t.Role == "system").Content;
        var holder = SystemHolder(turns);
        for (var i = 0; i < turns.Count; i++)
            if (turns[i].Role == "assistant") WriteAnswer(output, turns[i].Content);
            else if (turns[i].Role == "user") WriteQuestion(output, i == holder ? system : null, turns[i].Content);
        return output.Segments;
    }

    /// <summary>The question that the system message stands before: the first, or the last if nothing follows it.</summary>
    private int SystemHolder(IReadOnlyList<ChatTurn> turns)
    {
        if (style.System == MistralSystem.LastQuestion) return turns.Count - 1;
        for (var i = 0; i < turns.Count; i++)
            if (turns[i].Role == "user")
                return i;
        return -1;
    }

    private void WriteAnswer(SegmentWriter output, string answer) =>
        output.Markup(style.AnswerStart).Content(style.TrimsAnswers ? answer.Trim() : answer).Markup(end + style.AnswerEnd);

    private void WriteQuestion(SegmentWriter output, string? system, string question)
    {
        output.Markup(style.QuestionStart);
        if (system is not null) output.Content(system).Markup("\n\n");
        output.Content(question).Markup(style.QuestionEnd);
    }
}
