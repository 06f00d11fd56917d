namespace LServe.Model;

/// <summary>
/// Qwen 3: ChatML without a default system message. Thoughts of answers before the last question are left out, an answer after it always
/// has some, if only empty ones.
/// </summary>
internal sealed class Qwen3 : ChatTemplate
{
    private const string ThoughtStart = "<think>", ThoughtEnd = "</think>";

    public override string Name => "Qwen 3";

    public override IReadOnlyList<TemplateSegment> Render(IReadOnlyList<ChatTurn> turns, bool generationPrompt) =>
        Write(new SegmentWriter(), turns, generationPrompt);

    public override IReadOnlyList<TemplateSegment> RenderContinuation(IReadOnlyList<string> before, IReadOnlyList<ChatTurn> turns) =>
        Write(new SegmentWriter().Markup("<|im_end|>\n"), turns, generationPrompt: true);

    private static IReadOnlyList<TemplateSegment> Write(SegmentWriter output, IReadOnlyList<ChatTurn> turns, bool generationPrompt)
    {
        var lastQuestion = LastQuestion(turns);
        for (var i = 0; i < turns.Count; i++)
            if (turns[i].Role == "tool") QwenTools.WriteResult(output, turns, i);
            else if (turns[i].Role == "assistant") WriteAnswer(output, turns[i].Content, i > lastQuestion, i == turns.Count - 1);
            else if (turns[i].Role is "system" or "user") output.Message(turns[i].Role, turns[i].Content);
            else throw QwenTools.UnknownRole(turns[i].Role);
        if (generationPrompt) output.Markup("<|im_start|>assistant\n");
        return output.Segments;
    }

    private static int LastQuestion(IReadOnlyList<ChatTurn> turns)
    {
        for (var i = turns.Count - 1; i >= 0; i--)
        {
            var isToolResult = turns[i].Content.StartsWith("<tool_response>") && turns[i].Content.EndsWith("</tool_response>");
            if (turns[i].Role == "user" && !isToolResult) return i;
        }
        return turns.Count - 1;
    }

    private static void WriteAnswer(SegmentWriter output, string content, bool isAfterQuestion, bool isLast)
    {
        var (thought, answer) = Split(content);
        if (isAfterQuestion && (isLast || thought.Length > 0))
            output.Markup($"<|im_start|>assistant\n{ThoughtStart}\n").Content(thought.Trim('\n'))
                .Markup($"\n{ThoughtEnd}\n\n").Content(answer.TrimStart('\n')).Markup("<|im_end|>\n");
        else output.Message("assistant", answer);
    }

    private static (string Thought, string Answer) Split(string content)
    {
        var firstEnd = content.IndexOf(ThoughtEnd, StringComparison.Ordinal);
        var lastEnd = content.LastIndexOf(ThoughtEnd, StringComparison.Ordinal);
        if (firstEnd < 0) return ("", content);
        var thought = content[..firstEnd].TrimEnd('\n');
        var start = thought.LastIndexOf(ThoughtStart, StringComparison.Ordinal);
        if (start >= 0) thought = thought[(start + ThoughtStart.Length)..];
        return (thought.TrimStart('\n'), content[(lastEnd + ThoughtEnd.Length)..].TrimStart('\n'));
    }
}
