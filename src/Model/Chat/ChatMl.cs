namespace LServe.Model;

/// <summary>ChatML: every message between <c>&lt;|im_start|&gt;role</c> and <c>&lt;|im_end|&gt;</c>, in any order of roles.</summary>
/// <param name="defaultSystem">Written when the first message isn't a system message; null: none.</param>
internal sealed class ChatMl(string? defaultSystem) : ChatTemplate
{
    public override string Name => "ChatML";

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
        foreach (var turn in turns) output.Message(turn.Role, turn.Content);
        if (generationPrompt) output.Markup("<|im_start|>assistant\n");
        return output.Segments;
    }
}
