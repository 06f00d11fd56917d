namespace LServe.Model;

/// <summary>Qwen 2.5: ChatML whose tool results are put into a user message; other roles are not known.</summary>
/// <param name="defaultSystem">Written when the first message isn't a system message; null: none.</param>
internal sealed class Qwen2(string? defaultSystem) : ChatTemplate
{
    public override string Name => "Qwen 2.5";

    public override IReadOnlyList<TemplateSegment> Render(IReadOnlyList<ChatTurn> turns, bool generationPrompt)
    {
        var output = new SegmentWriter();
        if (defaultSystem is not null && turns.Count > 0 && turns[0].Role != "system")
            output.Markup($"<|im_start|>system\n{defaultSystem}<|im_end|>\n");
        return Write(output, turns, generationPrompt);
    }

    public override IReadOnlyList<TemplateSegment> RenderContinuation(IReadOnlyList<string> before, IReadOnlyList<ChatTurn> turns) =>
        Write(new SegmentWriter().Markup("<|im_end|>\n"), turns, generationPrompt: true);

    private static IReadOnlyList<TemplateSegment> Write(SegmentWriter output, IReadOnlyList<ChatTurn> turns, bool generationPrompt)
    {
        for (var i = 0; i < turns.Count; i++)
            if (turns[i].Role == "tool") QwenTools.WriteResult(output, turns, i);
            else if (turns[i].Role is "system" or "user" or "assistant") output.Message(turns[i].Role, turns[i].Content);
            else throw QwenTools.UnknownRole(turns[i].Role);
        if (generationPrompt) output.Markup("<|im_start|>assistant\n");
        return output.Segments;
    }
}
