namespace LServe.Model;

/// <summary>ChatML: every message between <c>&lt;|im_start|&gt;role</c> and <c>&lt;|im_end|&gt;</c>, in any order of roles.</summary>
/// <param name="defaultSystem">Written when the first message isn't a system message; null: none.</param>
internal sealed class ChatMl(string? defaultSystem) : ChatTemplate
{
    public override string Name => "ChatML";

    public override IReadOnlyList<TemplateSegment> Render(IReadOnlyList<ChatTurn> turns, bool generationPrompt)
    {
        var output = new SegmentWriter();
        if (defaultSystem is not null && turns.Count > 0 && turns[0].Role != "system") output.Markup($"<|im_start|>system\n{defaultSystem}<|im_end|>\n");
        Write(output, turns, generationPrompt);
        return output.Segments;
    }

    public override IReadOnlyList<TemplateSegment> RenderContinuation(IReadOnlyList<string> before, IReadOnlyList<ChatTurn> turns)
    {
        var output = new SegmentWriter().Markup("<|im_end|>\n");
        Write(output, turns, generationPrompt: true);
        return output.Segments;
    }

    private static void Write(SegmentWriter output, IReadOnlyList<ChatTurn> turns, bool generationPrompt)
    {
        foreach (var turn in turns)
            output.Markup("<|im_start|>").Content(turn.Role).Markup("\n").Content(turn.Content).Markup("<|im_end|>\n");
        if (generationPrompt) output.Markup("<|im_start|>assistant\n");
    }
}
